//! A run of the sync.

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use crate::graphql::context::ContextExt as _;
use crate::id::Id;
use crate::models::driver::Driver;
use crate::models::sync_run::{DriverStats, SyncRun as Run, SyncState, SyncTrigger};
use crate::telemetry::delivery::texts;

/// A run of the sync.
pub struct SyncRun(pub Run);

#[Object]
impl SyncRun {
    /// Identifies the run.
    async fn id(&self) -> Id {
        Id(self.0.id)
    }

    /// How far it has come, or how it ended.
    async fn state(&self) -> SyncState {
        self.0.state
    }

    /// What set it going.
    async fn trigger(&self) -> SyncTrigger {
        self.0.trigger
    }

    /// The name of who asked for it; null for the schedule and the command line.
    async fn triggered_by(&self) -> Option<&str> {
        self.0.triggered_by.as_deref()
    }

    /// When it began.
    async fn started_at(&self) -> DateTime<Utc> {
        self.0.started_at
    }

    /// When it ended; null while it is under way.
    async fn finished_at(&self) -> Option<DateTime<Utc>> {
        self.0.finished_at
    }

    /// How long it took, in milliseconds; null while it is under way.
    async fn duration_ms(&self) -> Option<i32> {
        self.0.duration_ms.map(|ms| i32::try_from(ms).unwrap_or(i32::MAX))
    }

    /// The most events that each driver might take up; null for no limit.
    async fn limit(&self) -> Option<i32> {
        self.0.event_limit
    }

    /// Events that reached a final verdict in this run, from every driver.
    async fn processed(&self) -> i32 {
        self.0.processed
    }

    /// The number of drivers that took part.
    async fn driver_count(&self) -> i32 {
        i32::try_from(self.0.drivers.len()).unwrap_or(i32::MAX)
    }

    /// What each driver did.
    async fn drivers(&self) -> Vec<DriverRun> {
        self.0.drivers.iter().map(DriverRun::from).collect()
    }

    /// Drivers that are enabled and whose settings the run's process did not have: it left their events pending.
    async fn drivers_left_out(&self) -> &[Driver] {
        &self.0.drivers_left_out
    }

    /// What a person should know of it; never a secret.
    async fn message(&self, ctx: &Context<'_>) -> Option<String> {
        texts::message(&self.0, ctx.request().locale)
    }
}

/// What a driver did in a run, in events unless it says otherwise.
#[derive(SimpleObject)]
pub struct DriverRun {
    /// The driver.
    driver: Driver,
    /// Taken up and tried.
    attempted: i32,
    /// Accepted by the service. GA4 says no more than that they arrived.
    delivered: i32,
    /// Tried, and still owed.
    retrying: i32,
    /// Given up.
    dead: i32,
    /// Too old to be sent.
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
