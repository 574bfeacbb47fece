//! Brings what is pending into step with the events that there are, whatever was done to them behind the triggers' backs.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryResult;
use tracing::{info, warn};

use super::Sync;
use crate::db::Connection;
use crate::error::Result;
use crate::models::player_event_month::gaps;
use crate::models::telemetry_delivery::{
    Frontier, forget_gap, forget_oldest_orphans, note_forgotten, settle_too_old,
};
use crate::models::telemetry_driver::EnabledDrivers;
use crate::telemetry::news;
use crate::unpoisoned;

/// So far back it is looked for events that nobody noted as pending.
const LOOKED_BACK: TimeDelta = TimeDelta::days(6);

impl Sync {
    /// Forgets what is pending of events that are gone, for so long at most, and looks at some recent events for whether
    /// they are noted as pending: other ones each time.
    pub async fn reconcile(&self, budget: Duration) -> Result<()> {
        let conn = &mut *self.pool.get().await?;
        let enabled = EnabledDrivers::read(conn).await?;
        let forgotten = forget_orphans(conn, &enabled, budget).await?;
        let noted = match enabled.earliest() {
            Some(earliest) => self.note_forgotten(conn, earliest.max(self.clock.now() - LOOKED_BACK)).await?,
            // All that is not noted may be what nobody wanted.
            None => 0,
        };
        if forgotten > 0 || noted > 0 {
            news::tell(conn).await?;
        }
        Ok(())
    }

    /// Settles events that were too old when the first driver was enabled, for so long at most.
    pub async fn settle_too_old(&self, budget: Duration) -> Result<()> {
        let began = Instant::now();
        let conn = &mut *self.pool.get().await?;
        let Some(before) = EnabledDrivers::read(conn).await?.earliest() else { return Ok(()) };
        let (mut after, mut events) = (Frontier::START, 0);
        while began.elapsed() < budget
            && !self.stop.is_cancelled()
            && let Some(slice) = settle_too_old(conn, after, before).await?
        {
            after = slice.end();
            events += slice.count;
        }
        if events > 0 {
            info!(events, "Settled events that were too old when the first driver was enabled");
            news::tell(conn).await?;
        }
        Ok(())
    }

    async fn note_forgotten(&self, conn: &mut Connection, from: DateTime<Utc>) -> QueryResult<i64> {
        let begin = Frontier { recorded_at: from, id: 0 };
        let after = unpoisoned::lock(&self.looked_at).map_or(begin, |looked_at| looked_at.max(begin));
        let (noted, next) = note_forgotten(conn, after).await?;
        *unpoisoned::lock(&self.looked_at) = next;
        if noted > 0 {
            warn!(events = noted, "Found events that were not noted as pending");
        }
        Ok(noted)
    }
}

/// Forgets what is pending of events that are gone, for so long at most; answers with the number of rows.
pub(super) async fn forget_orphans(
    conn: &mut Connection,
    enabled: &EnabledDrivers,
    budget: Duration,
) -> QueryResult<usize> {
    let began = Instant::now();
    let mut all = 0;
    for gap in gaps(conn).await? {
        while began.elapsed() < budget {
            let rows = forget_gap(conn, gap).await?;
            all += rows;
            if rows == 0 {
                break;
            }
        }
    }
    let from = enabled.earliest().unwrap_or(Frontier::START.recorded_at);
    while began.elapsed() < budget {
        let rows = forget_oldest_orphans(conn, from).await?;
        all += rows;
        if rows == 0 {
            break;
        }
    }
    if all > 0 {
        info!(rows = all, "Forgot what was pending of events that are gone");
    }
    Ok(all)
}
