//! Backfills a driver at an operator's request: makes events pending that were too old when it was enabled.

use chrono::{DateTime, TimeDelta, Utc};
use domain::Driver;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::{Sync, connection};
use crate::config::telemetry::{Endpoint, Telemetry};
use crate::error::Error;
use crate::models::sync_run::notification;
use crate::models::telemetry_delivery::{self as deliveries, EventPosition};
use crate::models::telemetry_driver::EnabledDrivers;
use crate::telemetry::driver;

/// Why nothing was backfilled.
#[derive(Debug)]
pub enum BackfillError {
    /// The driver is not enabled or not configured in this process.
    NotEnabledHere,
    /// The service does not accept events older than this.
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
    /// Makes all events since `since` pending that have no delivery for this driver, and returns their
    /// number. The next runs send them. Can be stopped and repeated without creating duplicates.
    pub async fn backfill(
        &self,
        name: Driver,
        since: DateTime<Utc>,
        stop: &CancellationToken,
    ) -> Result<i64, BackfillError> {
        let drivers = driver::enabled(&self.config.telemetry);
        if !drivers.iter().any(|(driver, ready)| *driver == name && ready.is_ok()) {
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
        let mut total = 0;
        while let Some(position) = after.filter(|_| !stop.is_cancelled()) {
            let (added, next) = deliveries::backfill(conn, name, &enabled, position, now).await?;
            total += added;
            after = next;
        }
        notification::notify(conn).await?;
        info!(driver = name.key(), events = total, "Backfilled a driver");
        Ok(total)
    }
}

/// The maximum age of events that a driver accepts, or `None` if it accepts events of any age.
const fn max_age(driver: Driver, config: &Telemetry) -> Option<TimeDelta> {
    match (driver, config.mixpanel.endpoint) {
        (Driver::Ga4, _) => Some(TimeDelta::hours(71)),
        (Driver::Mixpanel, Endpoint::Track) => Some(TimeDelta::hours(4 * 24 + 23)),
        (Driver::Mixpanel, Endpoint::Auto | Endpoint::Import) => None,
    }
}
