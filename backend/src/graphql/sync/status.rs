//! How the sync stands.

use std::sync::Arc;

use async_graphql::{Context, SimpleObject};
use chrono::{DateTime, Utc};
use domain::Locale;

use super::run::SyncRun;
use crate::clock::Clock;
use crate::config::Config;
use crate::graphql::context::ContextExt as _;
use crate::models::driver::Driver;
use crate::telemetry::delivery::texts;
use crate::telemetry::status::{DriverStatus as Found, Status};

/// How the sync with the analytics services stands.
#[derive(SimpleObject)]
pub struct SyncStatus {
    /// Player events that any enabled driver still owes a final verdict; where none is enabled, that nobody has sent.
    /// Counted up to 100000, or to the threshold where that is higher: that many means at least that many.
    events_pending: i32,
    /// For how long the first pending event has waited since it reached the hub, in seconds; null when none is pending.
    oldest_pending_seconds: Option<i32>,
    /// The number of pending events that raises the alarm.
    alert_threshold: i32,
    /// Waiting for so long raises the alarm, in seconds.
    alert_age_seconds: i32,
    /// Whether the backlog is cause for alarm, by its number or its age. It is not where no driver is enabled.
    backlog_alert: bool,
    /// Every driver, enabled or not.
    drivers: Vec<DriverStatus>,
    /// The last run that found something to do and has ended.
    last_run: Option<SyncRun>,
    /// The run that is under way.
    running: Option<SyncRun>,
    /// IANA name of the hub's time zone.
    timezone: &'static str,
}

/// How an analytics driver does.
#[derive(SimpleObject)]
pub struct DriverStatus {
    /// The driver.
    driver: Driver,
    /// Whether events are sent there, by this process or another.
    enabled: bool,
    /// False when enabled but lacking a setting; `problem` then names it (never its value).
    configured: bool,
    /// The setting that is missing, what kept the service from taking anything when it was last tried, or that this
    /// process does not have the driver's settings.
    problem: Option<String>,
    /// Deliveries that it is still owed, counted as `eventsPending` is.
    pending: i32,
    /// Deliveries that were given up, counted as `eventsPending` is; `deadDeliveries` lists them.
    dead: i32,
    /// When it last accepted an event.
    last_delivered_at: Option<DateTime<Utc>>,
}

/// How it is shown to somebody.
pub struct Shown {
    config: Arc<Config>,
    clock: Clock,
    locale: Locale,
}

impl Shown {
    /// As the request asks for it.
    pub fn new(ctx: &Context<'_>) -> Self {
        let app = ctx.app();
        Self { config: Arc::clone(&app.config), clock: app.clock.clone(), locale: ctx.request().locale }
    }

    /// Shows it.
    pub fn show(&self, status: Arc<Status>) -> SyncStatus {
        let Status { backlog, alarm, drivers, last_run, running } = Arc::unwrap_or_clone(status);
        let alert = &self.config.telemetry.alert;
        let age = backlog.age(self.clock.now());
        SyncStatus {
            events_pending: int(backlog.events_pending),
            oldest_pending_seconds: age.map(|age| int(age.num_seconds().max(0))),
            alert_threshold: i32::try_from(alert.threshold).unwrap_or(i32::MAX),
            alert_age_seconds: i32::try_from(alert.age.as_secs()).unwrap_or(i32::MAX),
            backlog_alert: alarm.is_some(),
            drivers: drivers.iter().map(|found| DriverStatus::new(found, self.locale)).collect(),
            last_run: last_run.map(SyncRun),
            running: running.map(SyncRun),
            timezone: self.config.hub.timezone.name(),
        }
    }
}

impl SyncStatus {
    /// As the request asks for it.
    pub fn new(ctx: &Context<'_>, status: Arc<Status>) -> Self {
        Shown::new(ctx).show(status)
    }
}

impl DriverStatus {
    fn new(found: &Found, locale: Locale) -> Self {
        let Found {
            name,
            is_enabled,
            is_enabled_here,
            missing_setting,
            outage,
            pending,
            dead,
            last_delivered_at,
        } = found;
        let problem = match (missing_setting, outage) {
            (Some(setting), _) => Some((*setting).to_owned()),
            (None, Some(outage)) => Some(texts::outage(*name, outage).in_locale(locale).to_owned()),
            (None, None) if *is_enabled && !is_enabled_here => {
                Some(texts::left_out(&[*name]).in_locale(locale).to_owned())
            }
            (None, None) => None,
        };
        Self {
            driver: *name,
            enabled: *is_enabled,
            configured: missing_setting.is_none(),
            problem,
            pending: int(*pending),
            dead: int(*dead),
            last_delivered_at: *last_delivered_at,
        }
    }
}

fn int(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
