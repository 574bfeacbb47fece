//! Disables a driver at an operator's request: its pending deliveries are skipped, and no more become pending
//! until a process enables it again.

use domain::Driver;
use tracing::info;

use super::run_lock::RunLock;
use super::{Sync, close_dead_run};
use crate::error::Error;
use crate::models::sync_run::notification;
use crate::models::telemetry_delivery::skip_pending;
use crate::models::telemetry_driver::EnabledDrivers;
use crate::telemetry::driver;

/// Why a driver was not disabled.
#[derive(Debug)]
pub enum ForgetError {
    /// The driver is enabled in this process, so the next run would enable it again.
    EnabledHere,
    /// A run is in progress.
    AlreadyRunning,
    /// An error on our side.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for ForgetError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Sync {
    /// Disables a driver, skips its pending deliveries and returns their number. `requeue` makes them pending
    /// again. If the driver is enabled in another process, that process enables it again, for later events.
    pub async fn forget(&self, name: Driver) -> Result<usize, ForgetError> {
        if driver::enabled_names(&self.config.telemetry).contains(&name) {
            return Err(ForgetError::EnabledHere);
        }
        let Some(mut lock) = RunLock::acquire(&self.pool).await? else {
            return Err(ForgetError::AlreadyRunning);
        };
        close_dead_run(lock.conn(), &self.clock).await?;
        let now = self.clock.now();
        // Disable the driver last, so that this can be repeated after a failure.
        let enabled = EnabledDrivers::read(lock.conn()).await?;
        let skipped = skip_pending(lock.conn(), name, &enabled, now).await?;
        EnabledDrivers::disable(lock.conn(), name, now).await?;
        notification::notify(lock.conn()).await?;
        lock.release().await?;
        info!(driver = name.key(), skipped, "Disabled a driver");
        Ok(skipped)
    }
}
