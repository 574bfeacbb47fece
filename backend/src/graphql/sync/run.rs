//! A sync run.

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::Driver;
use domain::sync::{SyncState, SyncTrigger};

use crate::graphql::context::ContextExt as _;
use crate::id::Id;
use crate::models::sync_run::{DriverStats, SyncRun as Run};
use crate::telemetry::delivery::texts;

/// A sync run.
pub struct SyncRun(pub Run);

#[Object]
impl SyncRun {
    /// ID of the run.
    async fn id(&self) -> Id {
        Id(self.0.id)
    }

    /// State of the run.
    async fn state(&self) -> SyncState {
        self.0.state
    }

    /// What started the run.
    async fn trigger(&self) -> SyncTrigger {
        self.0.trigger
    }

    /// Name of the user who started it. Null for the schedule and the command line.
    async fn triggered_by(&self) -> Option<&str> {
        self.0.triggered_by.as_deref()
    }

    /// When it started.
    async fn started_at(&self) -> DateTime<Utc> {
        self.0.started_at
    }

    /// When it ended. Null while it is in progress.
    async fn finished_at(&self) -> Option<DateTime<Utc>> {
        self.0.finished_at
    }

    /// Duration in milliseconds. Null while it is in progress.
    async fn duration_ms(&self) -> Option<i32> {
        self.0.duration_ms.map(|ms| i32::try_from(ms).unwrap_or(i32::MAX))
    }

    /// Maximum number of events per driver. Null for no limit.
    async fn limit(&self) -> Option<i32> {
        self.0.event_limit
    }

    /// Events that got a final outcome from every driver in this run.
    async fn processed(&self) -> i32 {
        self.0.processed
    }

    /// Number of drivers in the run.
    async fn driver_count(&self) -> i32 {
        i32::try_from(self.0.drivers.len()).unwrap_or(i32::MAX)
    }

    /// Results by driver.
    async fn drivers(&self) -> Vec<DriverRun> {
        self.0.drivers.iter().map(DriverRun::from).collect()
    }

    /// Enabled drivers that are not configured in the process of the run. Their events stay pending.
    async fn drivers_left_out(&self) -> &[Driver] {
        &self.0.drivers_left_out
    }

    /// A message for people. It contains no secrets.
    async fn message(&self, ctx: &Context<'_>) -> Option<String> {
        texts::message(&self.0).map(|phrase| phrase.into_locale(ctx.request().locale))
    }
}

/// Results of a driver in a run. All counts but `requests` are numbers of events.
#[derive(SimpleObject)]
pub struct DriverRun {
    /// The driver.
    driver: Driver,
    /// Events that were attempted.
    attempted: i32,
    /// Events that the service accepted. GA4 only confirms that they arrived.
    delivered: i32,
    /// Events that were attempted and are still pending.
    retrying: i32,
    /// Events that are dead.
    dead: i32,
    /// Events that were too old to be sent.
    expired: i32,
    /// HTTP requests.
    requests: i32,
}

impl From<&DriverStats> for DriverRun {
    fn from(stats: &DriverStats) -> Self {
        let DriverStats { driver, attempted, delivered, retrying, dead, expired, requests, outage: _ } =
            stats;
        let int = |count: &u32| i32::try_from(*count).unwrap_or(i32::MAX);
        Self {
            driver: *driver,
            attempted: int(attempted),
            delivered: int(delivered),
            retrying: int(retrying),
            dead: int(dead),
            expired: int(expired),
            requests: int(requests),
        }
    }
}
