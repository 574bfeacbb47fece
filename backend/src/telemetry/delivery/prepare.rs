//! What a run has to do, and for whom: the drivers that this process knows, of those that are enabled.

use std::sync::Arc;

use diesel::QueryResult;
use tracing::{info, warn};

use super::Sync;
use super::order::{Order, What};
use crate::db::Connection;
use crate::error::Result;
use crate::models::driver::Driver as Name;
use crate::models::sync_run::{Note, SyncRun, SyncState};
use crate::models::telemetry_delivery::{is_anything_owed, newest_batch_owed};
use crate::models::telemetry_driver::EnabledDrivers;
use crate::telemetry::driver::{self, Driver, NotConfigured};

/// What a run is to do.
pub(super) struct Prepared {
    /// The drivers to send to.
    pub drivers: Vec<Arc<Driver>>,
    /// The batch to retry.
    pub batch: Option<i64>,
    /// The drivers that are enabled, by this process or another.
    pub enabled: EnabledDrivers,
}

type Ending = (SyncState, Note);

impl Sync {
    /// Enables the drivers that this process has enabled and configured, as far as they are not enabled already.
    pub async fn enable_drivers(&self) -> Result<()> {
        let conn = &mut *self.pool.get().await?;
        let ready = driver::enabled(&self.config.telemetry).into_iter().filter(|(_, driver)| driver.is_ok());
        self.enable(conn, ready.map(|(name, _)| name)).await?;
        Ok(())
    }

    async fn enable(&self, conn: &mut Connection, drivers: impl Iterator<Item = Name>) -> QueryResult<()> {
        for name in drivers {
            if EnabledDrivers::enable(conn, name, self.clock.now()).await? {
                info!(driver = name.key(), "Enabled a driver: it gets the pending events of the last days");
            }
        }
        Ok(())
    }

    /// What a run is to do; or how it ends right away.
    pub(super) async fn prepare(
        &self,
        conn: &mut Connection,
        run_id: i64,
        order: &Order,
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
            warn!(?left_out, "This process lacks settings of enabled drivers, whose events stay pending");
            SyncRun::store_drivers_left_out(conn, run_id, &left_out).await?;
        }
        if names.is_empty() {
            return Ok(Err((SyncState::Skipped, Note::NoDriver)));
        }
        if !missing.is_empty() {
            return Ok(Err((SyncState::Failed, Note::NotConfigured { settings: missing })));
        }
        let batch = match order.what {
            What::Oldest if is_anything_owed(conn, &enabled, &names).await? => None,
            What::Oldest => return Ok(Err((SyncState::Skipped, Note::NothingPending))),
            What::LastBatch => match newest_batch_owed(conn, &names).await? {
                Some(batch) => Some(batch),
                None => return Ok(Err((SyncState::Skipped, Note::NothingToRetry))),
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
