//! Status of the sync.

use std::sync::Arc;

use async_graphql::{Context, SimpleObject};
use chrono::{DateTime, Utc};
use domain::Driver;
use domain::Locale;

use super::run::SyncRun;
use crate::clock::Clock;
use crate::config::Config;
use crate::graphql::context::ContextExt as _;
use crate::telemetry::delivery::texts;
use crate::telemetry::status::{DriverStatus as Found, Status};

/// Status of the sync with the analytics services.
#[derive(SimpleObject)]
pub struct SyncStatus {
    /// Player events that are pending for any enabled driver. If no driver is enabled, events that were never sent. Counts
    /// end at 100000, or at the threshold if that is higher: a count at this limit means "at least".
    events_pending: i32,
    /// How long the oldest pending event has been waiting since it reached the hub, in seconds. Null if none is pending.
    oldest_pending_seconds: Option<i32>,
    /// Number of pending events that raises the alert.
    alert_threshold: i32,
    /// Age of the oldest pending event that raises the alert, in seconds.
    alert_age_seconds: i32,
    /// Whether the backlog exceeds a limit. Always false if no driver is enabled.
    backlog_alert: bool,
    /// All drivers, enabled or not.
    drivers: Vec<DriverStatus>,
    /// The last run that had pending events and has ended.
    last_run: Option<SyncRun>,
    /// The run in progress.
    running: Option<SyncRun>,
    /// IANA name of the hub's time zone.
    timezone: &'static str,
}

/// Status of an analytics driver.
#[derive(SimpleObject)]
pub struct DriverStatus {
    /// The driver.
    driver: Driver,
    /// Whether events are sent to it, by this process or another.
    enabled: bool,
    /// False if the driver is enabled and a setting is missing. `missingSetting` names it.
    configured: bool,
    /// Name of the missing setting, such as `GA4_API_SECRET`.
    missing_setting: Option<&'static str>,
    /// Why no events are sent: the missing setting, the outage of the service, or that this process does not have the
    /// driver's settings.
    problem: Option<String>,
    /// Pending deliveries, counted up to the same limit as `eventsPending`.
    pending: i32,
    /// Dead deliveries, counted up to the same limit as `eventsPending`. `deadDeliveries` lists them.
    dead: i32,
    /// When it last accepted an event.
    last_delivered_at: Option<DateTime<Utc>>,
}

/// Renders the status in the caller's language.
pub struct StatusView {
    config: Arc<Config>,
    clock: Clock,
    locale: Locale,
}

impl StatusView {
    /// For the caller of this request.
    pub fn new(ctx: &Context<'_>) -> Self {
        let app = ctx.app();
        Self { config: Arc::clone(&app.config), clock: app.clock.clone(), locale: ctx.request().locale }
    }

    /// The status in GraphQL.
    pub fn show(&self, status: Arc<Status>) -> SyncStatus {
        let Status { backlog, alarm, drivers, last_run, running } = Arc::unwrap_or_clone(status);
        let alert = &self.config.telemetry.alert;
        let age = backlog.age(self.clock.now());
        SyncStatus {
            events_pending: int(backlog.events_pending),
            oldest_pending_seconds: age.map(|age| int(age.num_seconds().max(0))),
            alert_threshold: i32::try_from(alert.threshold).unwrap_or(i32::MAX),
            alert_age_seconds: i32::try_from(alert.max_age.as_secs()).unwrap_or(i32::MAX),
            backlog_alert: alarm.is_some(),
            drivers: drivers.iter().map(|found| DriverStatus::new(found, self.locale)).collect(),
            last_run: last_run.map(SyncRun),
            running: running.map(SyncRun),
            timezone: self.config.hub.timezone.name(),
        }
    }
}

impl SyncStatus {
    /// For the caller of this request.
    pub fn new(ctx: &Context<'_>, status: Arc<Status>) -> Self {
        StatusView::new(ctx).show(status)
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
            (None, Some(outage)) => Some(texts::outage(*name, outage).into_locale(locale)),
            (None, None) if *is_enabled && !is_enabled_here => {
                Some(texts::left_out(&[*name]).into_locale(locale))
            }
            (None, None) => None,
        };
        Self {
            driver: *name,
            enabled: *is_enabled,
            configured: missing_setting.is_none(),
            missing_setting: *missing_setting,
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
