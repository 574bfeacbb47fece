//! Passes the outcomes of events to the writer, and releases events that are not sent now.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::RunningWorker;
use crate::models::sync_run::DriverStats;
use crate::models::telemetry_delivery::{DeliveryUpdate, Lease};
use crate::telemetry::delivery::outcome_writer::OutcomeBatch;
use crate::telemetry::delivery::progress::Delta;
use crate::telemetry::delivery::request_queue::LeasedRequest;
use crate::telemetry::delivery::retry_policy::unsent;
use crate::telemetry::driver::OutgoingRequest;

impl RunningWorker {
    /// Passes the outcomes of events to the writer. The events are no longer in flight.
    pub(super) async fn finish(&mut self, updates: Vec<DeliveryUpdate>, lease: Option<Arc<Lease>>) {
        let finished = updates.iter().map(|update| update.event_id).collect();
        self.write(updates, lease, finished).await;
    }

    async fn write(&mut self, updates: Vec<DeliveryUpdate>, lease: Option<Arc<Lease>>, finished: Vec<i64>) {
        let mut delta = Delta::default();
        for update in &updates {
            if let Some(at) = update.next_attempt_at {
                self.retry_times.insert(at);
            }
            delta.add(update, &mut self.retrying);
        }
        let (notify, written) = oneshot::channel();
        // A refused event stays in flight until its refusal is final. Otherwise it would be fetched again.
        let is_decided = |id: &&i64| !self.refusals.contains(**id);
        let no_longer_in_flight: Vec<i64> = finished.iter().filter(is_decided).copied().collect();
        let in_flight = self.in_flight.clone();
        let on_written = Box::new(move |stats: &mut DriverStats| {
            delta.apply(stats);
            in_flight.remove(&no_longer_in_flight);
            // The receiver may have been dropped.
            notify.send(()).ok();
        });
        self.written = Some(written);
        let batch = OutcomeBatch { driver: self.worker.driver.name(), updates, lease, finished, on_written };
        if self.worker.writer.send(batch).await.is_err() {
            self.worker.stop.cancel();
        }
    }

    /// Releases all queued requests, which may not be sent now.
    pub(super) async fn release_all(&mut self) {
        let (ready, leased) = self.queue.drain();
        for request in ready {
            self.release(request, None).await;
        }
        for LeasedRequest { request, lease } in leased {
            self.release(request, Some(lease)).await;
        }
    }

    /// Leaves the events of a request pending. Events without a delivery get one, so that they belong to this
    /// run's batch.
    pub(super) async fn release(&mut self, request: OutgoingRequest, lease: Option<Arc<Lease>>) {
        let name = self.worker.driver.name();
        self.remaining = self.remaining.map(|remaining| remaining + request.events.len());
        self.has_released = true;
        self.start_over();
        let events = || request.events.iter().map(|outgoing| &outgoing.event);
        let updates = events().filter(|event| !event.is_on_record).map(|event| unsent(name, event)).collect();
        self.write(updates, lease, events().map(|event| event.id).collect()).await;
    }

    /// Fetches released events again. Waits until their release is written, since no query finds them before.
    pub(super) async fn refetch_released(&mut self) {
        self.has_released = false;
        if let Some(written) = self.written.take() {
            written.await.ok();
        }
        self.start_over();
    }
}
