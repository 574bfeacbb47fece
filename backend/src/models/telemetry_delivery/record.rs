//! Records outcomes: each set in one transaction, with everything that follows from it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel_async::{AsyncConnection as _, SimpleAsyncConnection as _};
use domain::Driver;

use super::DeliveryUpdate;
use super::lease::{Lease, shrink};
use super::pending;
use super::synced::mark_synced;
use super::upsert::upsert;
use crate::db::Connection;
use crate::models::sync_run::SyncRun;
use crate::models::telemetry_driver::EnabledDrivers;

/// Whether outcomes were recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// They were.
    Done {
        /// The number of events that are pending for no driver any more.
        processed: usize,
    },
    /// Another run has taken over and reclaims what was in flight.
    TakenOver,
}

/// Serializes records and requeues across processes: whoever records the last outcome of an event must see the others.
/// The key is a number that no other advisory lock of ours uses.
pub(super) const RECORD_LOCK: &str = "SELECT pg_advisory_xact_lock(7238261056)";

/// Records outcomes of a run, and which events of its leases are still in flight.
pub async fn record_outcomes(
    conn: &mut Connection,
    context: RecordContext,
    updates: &[DeliveryUpdate],
    leases: &[Lease],
) -> QueryResult<Recorded> {
    conn.transaction(async |conn| {
        conn.batch_execute(RECORD_LOCK).await?;
        if !SyncRun::is_running_still(conn, context.run_id).await? {
            return Ok(Recorded::TakenOver);
        }
        shrink(conn, context.run_id, leases).await?;
        // Read now, since another process may have enabled a driver that this one does not know.
        let enabled = EnabledDrivers::read(conn).await?;
        let mut ended = BTreeMap::new();
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
            ended.extend(
                known.into_iter().filter(|known| known.state.is_final()).map(|one| (one.key(), false)),
            );
            let new = new.into_iter().filter(|new| new.state.is_final() && removed.contains(&new.event_id));
            ended.extend(new.map(|one| (one.key(), true)));
        }
        Ok(Recorded::Done { processed: mark_synced(conn, ended, context.now).await? })
    })
    .await
}

/// The run whose outcomes are recorded.
#[derive(Clone, Copy, Debug)]
pub struct RecordContext {
    /// Its id.
    pub run_id: i64,
    /// Whether the same outcomes may be on record already.
    pub is_retry: bool,
    /// The time.
    pub now: DateTime<Utc>,
}
