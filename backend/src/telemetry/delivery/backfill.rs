//! Sending events that were too old when their driver was enabled, which only somebody who says so does.

use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::{Sync, connection};
use crate::config::telemetry::{Endpoint, Telemetry};
use crate::error::Error;
use crate::models::driver::Driver;
use crate::models::telemetry_delivery::{self as deliveries, Frontier};
use crate::models::telemetry_driver::EnabledDrivers;
use crate::telemetry::{driver, news};

/// Why nothing was backfilled.
#[derive(Debug)]
pub enum NotBackfilled {
    /// This process has the driver not enabled, or not configured.
    NotEnabledHere,
    /// The service takes nothing that is older than this.
    TooOld(TimeDelta),
    /// A fault of ours.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for NotBackfilled {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Sync {
    /// Makes every event since then of which a driver has no record pending for it, and answers with their number. The
    /// next runs send them. Told to stop, or repeated, it doubles nothing.
    pub async fn backfill(
        &self,
        name: Driver,
        since: DateTime<Utc>,
        stop: &CancellationToken,
    ) -> Result<i64, NotBackfilled> {
        let here = driver::enabled(&self.config.telemetry);
        if !here.iter().any(|(driver, ready)| *driver == name && ready.is_ok()) {
            return Err(NotBackfilled::NotEnabledHere);
        }
        let now = self.clock.now();
        if let Some(limit) = oldest_taken(name, &self.config.telemetry).filter(|limit| since < now - *limit) {
            return Err(NotBackfilled::TooOld(limit));
        }
        self.enable_drivers().await?;
        let conn = &mut connection::open(&self.pool).await?;
        let enabled = EnabledDrivers::read(conn).await?;
        let mut after = Some(Frontier { recorded_at: since, id: 0 });
        let mut all = 0;
        while let Some(place) = after.filter(|_| !stop.is_cancelled()) {
            let (put, next) = deliveries::backfill(conn, name, &enabled, place, now).await?;
            all += put;
            after = next;
        }
        news::tell(conn).await?;
        info!(driver = name.key(), events = all, "Made older events pending for a driver");
        Ok(all)
    }
}

/// How old an event may be for a driver to take it; nothing when it may be of any age.
const fn oldest_taken(driver: Driver, config: &Telemetry) -> Option<TimeDelta> {
    match (driver, config.mixpanel.endpoint) {
        (Driver::Ga4, _) => Some(TimeDelta::hours(71)),
        (Driver::Mixpanel, Endpoint::Track) => Some(TimeDelta::hours(4 * 24 + 23)),
        (Driver::Mixpanel, Endpoint::Auto | Endpoint::Import) => None,
    }
}
