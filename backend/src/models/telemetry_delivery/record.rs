//! Records outcomes in one transaction, together with all rows that depend on them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel_async::AsyncConnection as _;
use domain::Driver;

use super::DeliveryUpdate;
use super::lease::{Lease, shrink};
use super::pending;
use super::synced::mark_synced;
use super::upsert::upsert;
use crate::db::Connection;
use crate::db::advisory_lock::AdvisoryLock;
use crate::models::sync_run::SyncRun;
use crate::models::telemetry_driver::EnabledDrivers;

/// The result of recording outcomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordResult {
    /// The outcomes were recorded.
    Done {
        /// The number of events that are now pending for no driver.
        processed: usize,
    },
    /// Another run has taken over and reclaims the events in flight. Nothing was recorded.
    TakenOver,
}

/// Records outcomes of a run, and reduces its leases to the events that are still in flight.
pub async fn record_outcomes(
    conn: &mut Connection,
    context: RecordContext,
    updates: &[DeliveryUpdate],
    leases: &[Lease],
) -> QueryResult<RecordResult> {
    conn.transaction(async |conn| {
        AdvisoryLock::Deliveries.acquire_in_transaction(conn).await?;
        if !SyncRun::lock_if_running(conn, context.run_id).await? {
            return Ok(RecordResult::TakenOver);
        }
        shrink(conn, context.run_id, leases).await?;
        // Read in this transaction, since another process may have enabled a driver that this process has not
        // configured.
        let enabled = EnabledDrivers::read(conn).await?;
        let mut finished = BTreeMap::new();
        for driver in Driver::ALL {
            let (known, new): (Vec<_>, Vec<_>) = updates
                .iter()
                .filter(|update| update.driver == driver)
                .partition(|update| update.is_on_record);
            for (updates, may_exist) in [(&known, true), (&new, context.is_retry)] {
                upsert(conn, &context, driver, updates, may_exist).await?;
            }
            let (last, not_last): (Vec<_>, Vec<_>) = new
                .iter()
                .copied()
                .partition(|new: &&DeliveryUpdate| new.is_last || enabled.names().count() == 1);
            let [last, not_last] =
                [last, not_last].map(|new| new.into_iter().map(DeliveryUpdate::key).collect());
            let removed = pending::remove(conn, driver, &enabled, last, not_last).await?;
            finished.extend(
                known.into_iter().filter(|known| known.state.is_final()).map(|update| (update.key(), false)),
            );
            let new = new.into_iter().filter(|new| new.state.is_final() && removed.contains(&new.event_id));
            finished.extend(new.map(|update| (update.key(), true)));
        }
        Ok(RecordResult::Done { processed: mark_synced(conn, finished, context.now).await? })
    })
    .await
}

/// The run whose outcomes are recorded.
#[derive(Clone, Copy, Debug)]
pub struct RecordContext {
    pub run_id: i64,
    /// Whether the same outcomes may have been recorded already.
    pub is_retry: bool,
    pub now: DateTime<Utc>,
}
