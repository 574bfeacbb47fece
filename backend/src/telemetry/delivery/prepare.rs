//! Prepares a run: which of the enabled drivers this process can send to, and what.

use std::sync::Arc;

use diesel::QueryResult;
use tracing::{info, warn};

use super::Sync;
use super::sync_request::{Scope, SyncRequest};
use crate::db::Connection;
use crate::error::Result;
use crate::models::driver::Driver as Name;
use crate::models::sync_run::{RunReason, SyncRun, SyncState};
use crate::models::telemetry_delivery::{has_pending, newest_pending_batch};
use crate::models::telemetry_driver::EnabledDrivers;
use crate::telemetry::driver::{self, Driver, NotConfigured};

/// What a run has to do.
pub(super) struct Prepared {
    /// The drivers to send to.
    pub drivers: Vec<Arc<Driver>>,
    /// The batch to retry.
    pub batch: Option<i64>,
    /// The drivers that are enabled, by this process or another.
    pub enabled: EnabledDrivers,
}

type Ending = (SyncState, RunReason);

impl Sync {
    /// Enables the drivers that are enabled and configured in this process, unless they are enabled already.
    pub async fn enable_drivers(&self) -> Result<()> {
        let conn = &mut *self.pool.get().await?;
        let ready = driver::enabled(&self.config.telemetry).into_iter().filter(|(_, driver)| driver.is_ok());
        self.enable(conn, ready.map(|(name, _)| name)).await?;
        Ok(())
    }

    async fn enable(&self, conn: &mut Connection, drivers: impl Iterator<Item = Name>) -> QueryResult<()> {
        for name in drivers {
            if EnabledDrivers::enable(conn, name, self.clock.now()).await? {
                info!(
                    driver = name.key(),
                    "Enabled a driver; it gets the pending events of the last few days"
                );
            }
        }
        Ok(())
    }

    /// What a run has to do, or how it ends right away.
    pub(super) async fn prepare(
        &self,
        conn: &mut Connection,
        run_id: i64,
        request: &SyncRequest,
    ) -> Result<Result<Prepared, Ending>> {
        let here = driver::enabled(&self.config.telemetry);
        let names: Vec<Name> = here.iter().map(|(name, _)| *name).collect();
        let missing: Vec<String> = here
            .iter()
            .filter_map(|(_, driver)| driver.as_ref().err())
            .map(|NotConfigured(setting)| (*setting).to_owned())
            .collect();
        if missing.is_empty() {
            self.enable(conn, names.iter().copied()).await?;
        }
        let enabled = EnabledDrivers::read(conn).await?;
        let left_out = left_out(&enabled, &names);
        if !left_out.is_empty() {
            warn!(
                ?left_out,
                "Settings of enabled drivers are missing in this process; their events stay pending"
            );
            SyncRun::store_drivers_left_out(conn, run_id, &left_out).await?;
        }
        if names.is_empty() {
            return Ok(Err((SyncState::Skipped, RunReason::NoDriver)));
        }
        if !missing.is_empty() {
            return Ok(Err((SyncState::Failed, RunReason::NotConfigured { settings: missing })));
        }
        let batch = match request.scope {
            Scope::Oldest if has_pending(conn, &enabled, &names).await? => None,
            Scope::Oldest => return Ok(Err((SyncState::Skipped, RunReason::NothingPending))),
            Scope::LastBatch => match newest_pending_batch(conn, &names).await? {
                Some(batch) => Some(batch),
                None => return Ok(Err((SyncState::Skipped, RunReason::NothingToRetry))),
            },
        };
        let drivers = here.into_iter().filter_map(|(_, driver)| driver.ok()).map(Arc::new).collect();
        Ok(Ok(Prepared { drivers, batch, enabled }))
    }
}

/// The enabled drivers that are not among these.
pub(super) fn left_out(enabled: &EnabledDrivers, names: &[Name]) -> Vec<Name> {
    enabled.names().filter(|name| !names.contains(name)).collect()
}
