//! Writes verdicts down, each with all that follows from it in one transaction.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel_async::{AsyncConnection as _, SimpleAsyncConnection as _};

use super::Judgement;
use super::lease::{Lease, narrow};
use super::note::note;
use super::pending;
use super::settle::settle;
use crate::db::Connection;
use crate::models::driver::Driver;
use crate::models::sync_run::SyncRun;
use crate::models::telemetry_driver::EnabledDrivers;

/// Whether verdicts were written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// They were, and so many events were done with thereby.
    Done(usize),
    /// Another run has taken over, and will find out for itself.
    TakenOver,
}

/// Verdicts and requeues are written one after the other, in whatever process: who writes the last verdict of an event
/// must see the others. The key is any number that no other advisory lock of ours uses.
pub(super) const LEDGER_LOCK: &str = "SELECT pg_advisory_xact_lock(7238261056)";

/// Writes down verdicts of a run, and which events of its leases are still being sent.
pub async fn write_down(
    conn: &mut Connection,
    run: Writing,
    judgements: &[Judgement],
    left: &[Lease],
) -> QueryResult<Written> {
    conn.transaction(async |conn| {
        conn.batch_execute(LEDGER_LOCK).await?;
        if !SyncRun::is_running_still(conn, run.run_id).await? {
            return Ok(Written::TakenOver);
        }
        narrow(conn, run.run_id, left).await?;
        // As it is now, since another process may have enabled a driver that this one knows nothing of.
        let enabled = EnabledDrivers::read(conn).await?;
        let mut ended = BTreeMap::new();
        for driver in Driver::ALL {
            let (known, new): (Vec<_>, Vec<_>) = judgements
                .iter()
                .filter(|judgement| judgement.driver == driver)
                .partition(|judgement| judgement.is_on_record);
            for (judgements, may_be_there) in [(&known, true), (&new, run.again)] {
                note(conn, &run, driver, judgements, may_be_there).await?;
            }
            let (last, not_last): (Vec<_>, Vec<_>) =
                new.iter().copied().partition(|new: &&Judgement| new.is_last || enabled.names().count() == 1);
            let [last, not_last] = [last, not_last].map(|new| new.into_iter().map(Judgement::key).collect());
            let gone = pending::put_on_record(conn, driver, &enabled, last, not_last).await?;
            ended.extend(
                known.into_iter().filter(|known| known.state.is_final()).map(|one| (one.key(), false)),
            );
            let new = new.into_iter().filter(|new| new.state.is_final() && gone.contains(&new.event_id));
            ended.extend(new.map(|one| (one.key(), true)));
        }
        Ok(Written::Done(settle(conn, ended, run.now).await?))
    })
    .await
}

/// Who writes verdicts down, and when.
#[derive(Clone, Copy, Debug)]
pub struct Writing {
    /// The run.
    pub run_id: i64,
    /// Whether the same may be written already.
    pub again: bool,
    /// The time.
    pub now: DateTime<Utc>,
}
