//! Prepares a run: decides which drivers it sends to and which events it sends.

use std::sync::Arc;

use diesel::QueryResult;
use domain::sync::SyncState;
use tracing::{info, warn};

use super::Sync;
use super::sync_request::{Scope, SyncRequest};
use crate::db::Connection;
use crate::error::Result;
use crate::models::sync_run::{RunReason, SyncRun};
use crate::models::telemetry_delivery::{has_pending, newest_pending_batch};
use crate::models::telemetry_driver::EnabledDrivers;
use crate::telemetry::driver::{self, Driver, NotConfigured};
use domain::Driver as DriverName;

/// A run that has events to send.
pub(super) struct Prepared {
    /// The drivers to send to.
    pub drivers: Vec<Arc<Driver>>,
    /// The batch to retry, if only one is retried.
    pub batch: Option<i64>,
    /// The drivers that any process has enabled.
    pub enabled: EnabledDrivers,
}

/// The state and reason of a run that ends before it sends anything.
type EarlyEnd = (SyncState, RunReason);

impl Sync {
    /// Enables the drivers that this process has configured, unless they are enabled already.
    pub async fn enable_drivers(&self) -> Result<()> {
        let conn = &mut *self.pool.get().await?;
        let ready = driver::enabled(&self.config.telemetry).into_iter().filter(|(_, driver)| driver.is_ok());
        self.enable(conn, ready.map(|(name, _)| name)).await?;
        Ok(())
    }

    async fn enable(
        &self,
        conn: &mut Connection,
        drivers: impl Iterator<Item = DriverName>,
    ) -> QueryResult<()> {
        for name in drivers {
            if EnabledDrivers::enable(conn, name, self.clock.now()).await? {
                info!(
                    driver = name.key(),
                    "Enabled a driver; it will get the pending events of the last few days"
                );
            }
        }
        Ok(())
    }

    /// Prepares a run, or says why it ends immediately.
    pub(super) async fn prepare(
        &self,
        conn: &mut Connection,
        run_id: i64,
        request: &SyncRequest,
    ) -> Result<Result<Prepared, EarlyEnd>> {
        let drivers = driver::enabled(&self.config.telemetry);
        let names: Vec<DriverName> = drivers.iter().map(|(name, _)| *name).collect();
        let missing: Vec<String> = drivers
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
                "Settings of enabled drivers are missing in this process; their events remain pending"
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
        let drivers = drivers.into_iter().filter_map(|(_, driver)| driver.ok()).map(Arc::new).collect();
        Ok(Ok(Prepared { drivers, batch, enabled }))
    }
}

/// The enabled drivers that are not in `names`.
pub(super) fn left_out(enabled: &EnabledDrivers, names: &[DriverName]) -> Vec<DriverName> {
    enabled.names().filter(|name| !names.contains(name)).collect()
}
