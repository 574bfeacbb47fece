//! Brings what is pending into step with the drivers that there are.

use std::time::{Duration, Instant};

use tracing::info;

use super::Sync;
use crate::error::Result;
use crate::models::telemetry_delivery::{Frontier, settle_too_old};
use crate::models::telemetry_driver::EnabledDrivers;
use crate::telemetry::news;

impl Sync {
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
}
