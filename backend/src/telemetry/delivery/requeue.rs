//! Requeues dead, expired and skipped deliveries in slices, and in the background if that takes longer than the caller
//! waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing::{error, info};

use super::{Sync, connection};
use crate::error::Result;
use crate::models::telemetry_delivery::{Requeue, RequeuePlace, requeue};
use crate::telemetry::notify;

impl Sync {
    /// Requeues deliveries. Answers with their number when all are requeued, or with the number so far after `max_wait`;
    /// then it continues until this process is stopped.
    pub async fn requeue(&self, what: Requeue, max_wait: Duration) -> Result<usize> {
        let count = Arc::new(AtomicUsize::new(0));
        let (tell, ended) = oneshot::channel();
        let (sync, counted) = (self.clone(), Arc::clone(&count));
        self.runs.spawn(async move {
            let done = sync.requeue_all(&what, &counted).await;
            if let Err(Err(cause)) = tell.send(done) {
                error!(code = cause.code().as_str(), "Failed to requeue all deliveries");
            }
        });
        match timeout(max_wait, ended).await {
            Ok(done) => done.context("A requeue failed")??,
            Err(_) => info!("A requeue continues in the background"),
        }
        Ok(count.load(Ordering::Relaxed))
    }

    async fn requeue_all(&self, what: &Requeue, count: &AtomicUsize) -> Result<()> {
        let conn = &mut connection::open(&self.pool).await?;
        let mut place = Some(RequeuePlace::START);
        while let Some(from) = place.filter(|_| !self.stop.is_cancelled()) {
            let (requeued, next) = requeue(conn, what, from).await?;
            count.fetch_add(requeued, Ordering::Relaxed);
            place = next;
        }
        notify::publish(conn).await?;
        Ok(())
    }
}
