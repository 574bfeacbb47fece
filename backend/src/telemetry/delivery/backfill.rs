//! Backfills a driver at an operator's request with events that were too old when it was enabled.

use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::{Sync, connection};
use crate::config::telemetry::{Endpoint, Telemetry};
use crate::error::Error;
use crate::models::driver::Driver;
use crate::models::telemetry_delivery::{self as deliveries, EventPosition};
use crate::models::telemetry_driver::EnabledDrivers;
use crate::telemetry::{driver, notify};

/// Why nothing was backfilled.
#[derive(Debug)]
pub enum BackfillError {
    /// The driver is not enabled or not configured in this process.
    NotEnabledHere,
    /// The service accepts no events older than this.
    TooOld(TimeDelta),
    /// An error on our side.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for BackfillError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Sync {
    /// Makes every event since then pending for a driver that has no delivery of it, and answers with their number. The
    /// next runs send them. It can be stopped and repeated without duplicates.
    pub async fn backfill(
        &self,
        name: Driver,
        since: DateTime<Utc>,
        stop: &CancellationToken,
    ) -> Result<i64, BackfillError> {
        let here = driver::enabled(&self.config.telemetry);
        if !here.iter().any(|(driver, ready)| *driver == name && ready.is_ok()) {
            return Err(BackfillError::NotEnabledHere);
        }
        let now = self.clock.now();
        if let Some(limit) = max_age(name, &self.config.telemetry).filter(|limit| since < now - *limit) {
            return Err(BackfillError::TooOld(limit));
        }
        self.enable_drivers().await?;
        let conn = &mut connection::open(&self.pool).await?;
        let enabled = EnabledDrivers::read(conn).await?;
        let mut after = Some(EventPosition { recorded_at: since, id: 0 });
        let mut all = 0;
        while let Some(place) = after.filter(|_| !stop.is_cancelled()) {
            let (put, next) = deliveries::backfill(conn, name, &enabled, place, now).await?;
            all += put;
            after = next;
        }
        notify::publish(conn).await?;
        info!(driver = name.key(), events = all, "Backfilled a driver");
        Ok(all)
    }
}

/// The maximum age of events that a driver accepts; `None` if there is none.
const fn max_age(driver: Driver, config: &Telemetry) -> Option<TimeDelta> {
    match (driver, config.mixpanel.endpoint) {
        (Driver::Ga4, _) => Some(TimeDelta::hours(71)),
        (Driver::Mixpanel, Endpoint::Track) => Some(TimeDelta::hours(4 * 24 + 23)),
        (Driver::Mixpanel, Endpoint::Auto | Endpoint::Import) => None,
    }
}
