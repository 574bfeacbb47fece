//! Dropping a driver, which only somebody who says so does: what is pending for it is skipped, and nothing more becomes
//! pending for it until a process has it enabled again.

use tracing::info;

use super::desk::Desk;
use super::{Sync, close_dead_run};
use crate::error::Error;
use crate::models::driver::Driver;
use crate::models::telemetry_delivery::skip_pending;
use crate::models::telemetry_driver::EnabledDrivers;
use crate::telemetry::{driver, news};

/// Why a driver was not forgotten.
#[derive(Debug)]
pub enum NotForgotten {
    /// This process has it enabled, and would enable it again with its next run.
    EnabledHere,
    /// A run is under way.
    AlreadyRunning,
    /// A fault of ours.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for NotForgotten {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Sync {
    /// Disables a driver and skips what is pending for it; answers with the number of deliveries. `requeue` brings them
    /// back. Another process that has the driver enabled enables it again, for what happens from then on.
    pub async fn forget(&self, name: Driver) -> Result<usize, NotForgotten> {
        if driver::enabled_here(&self.config.telemetry).contains(&name) {
            return Err(NotForgotten::EnabledHere);
        }
        let Some(mut desk) = Desk::take(&self.pool).await? else { return Err(NotForgotten::AlreadyRunning) };
        close_dead_run(desk.conn(), &self.clock).await?;
        let now = self.clock.now();
        // What was enabled decides on what is pending; it is disabled last, so that a repetition goes on after a failure.
        let enabled = EnabledDrivers::read(desk.conn()).await?;
        let skipped = skip_pending(desk.conn(), name, &enabled, now).await?;
        EnabledDrivers::disable(desk.conn(), name, now).await?;
        news::tell(desk.conn()).await?;
        desk.leave().await?;
        info!(driver = name.key(), skipped, "Forgot a driver");
        Ok(skipped)
    }
}
