//! Reconciles pending rows with events after changes without triggers: partitions that were detached or
//! dropped, and rows that were changed with triggers disabled.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryResult;
use tracing::{info, warn};

use super::Sync;
use crate::db::Connection;
use crate::error::Result;
use crate::models::player_event_month::gaps;
use crate::models::sync_run::notification;
use crate::models::telemetry_delivery::{
    EventPosition, delete_oldest_orphans, delete_pending_in_gap, discard_too_old, insert_missing_pending,
};
use crate::models::telemetry_driver::EnabledDrivers;

/// How far back to look for events without a pending row.
const LOOKBACK: TimeDelta = TimeDelta::days(6);

impl Sync {
    /// Deletes pending rows of deleted events, for at most `budget`. Also checks some recent events for a
    /// missing row, different ones each time.
    pub async fn reconcile(&self, budget: Duration) -> Result<()> {
        let conn = &mut *self.pool.get().await?;
        let enabled = EnabledDrivers::read(conn).await?;
        let deleted = delete_orphans(conn, &enabled, budget).await?;
        let inserted = match enabled.earliest() {
            Some(earliest) => {
                self.insert_missing_pending(conn, earliest.max(self.clock.now() - LOOKBACK)).await?
            }
            // While no driver is enabled, events need no pending row.
            None => 0,
        };
        if deleted > 0 || inserted > 0 {
            notification::notify(conn).await?;
        }
        Ok(())
    }

    /// Deletes the pending rows of events that were too old when the first driver was enabled, for at most
    /// `budget`.
    pub async fn discard_too_old(&self, budget: Duration) -> Result<()> {
        let began = Instant::now();
        let conn = &mut *self.pool.get().await?;
        let Some(before) = EnabledDrivers::read(conn).await?.earliest() else { return Ok(()) };
        let (mut after, mut events) = (EventPosition::START, 0);
        while began.elapsed() < budget
            && !self.stop.is_cancelled()
            && let Some(slice) = discard_too_old(conn, after, before).await?
        {
            after = slice.end();
            events += slice.count;
        }
        if events > 0 {
            info!(
                events,
                "Deleted pending rows of events that were too old when the first driver was enabled"
            );
            notification::notify(conn).await?;
        }
        Ok(())
    }

    async fn insert_missing_pending(&self, conn: &mut Connection, from: DateTime<Utc>) -> QueryResult<i64> {
        let begin = EventPosition { recorded_at: from, id: 0 };
        let after = self.reconciled_to.lock().map_or(begin, |reconciled_to| reconciled_to.max(begin));
        let (inserted, next) = insert_missing_pending(conn, after).await?;
        *self.reconciled_to.lock() = next;
        if inserted > 0 {
            warn!(events = inserted, "Found events without a pending row");
        }
        Ok(inserted)
    }
}

/// Deletes pending rows of deleted events, for at most `budget`. Returns their number.
pub(super) async fn delete_orphans(
    conn: &mut Connection,
    enabled: &EnabledDrivers,
    budget: Duration,
) -> QueryResult<usize> {
    let began = Instant::now();
    let mut total = 0;
    for gap in gaps(conn).await? {
        while began.elapsed() < budget {
            let rows = delete_pending_in_gap(conn, gap).await?;
            total += rows;
            if rows == 0 {
                break;
            }
        }
    }
    let from = enabled.earliest().unwrap_or(EventPosition::START.recorded_at);
    while began.elapsed() < budget {
        let rows = delete_oldest_orphans(conn, from).await?;
        total += rows;
        if rows == 0 {
            break;
        }
    }
    if total > 0 {
        info!(rows = total, "Deleted pending rows of deleted events");
    }
    Ok(total)
}
