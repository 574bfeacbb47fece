//! The sync's live status: one subscription, shared by all components that show the status.

use domain::access::Act;
use js_sys::Date;
use leptos::prelude::*;

use crate::api::sync::report::{Driver, DriverStatus, Run, Status};
use crate::api::sync::{read_status, status_subscription};
use crate::i18n::format::Format;
use crate::i18n::time_format::TimeFormat;
use crate::i18n::{I18n, use_i18n};
use crate::live::LiveSubscription;
use crate::session::use_session;

/// How often relative times are updated.
const CLOCK_INTERVAL: std::time::Duration = std::time::Duration::from_secs(10);

/// The sync's status, and the connection that it is received through.
#[derive(Clone, Copy)]
pub struct SyncFeed {
    pub live: LiveSubscription,
    received: RwSignal<Option<Received>>,
    /// The current time in milliseconds, updated at each interval.
    now: RwSignal<f64>,
    i18n: I18n,
}

/// The last status, and when it was received, in milliseconds.
#[derive(Clone)]
struct Received {
    status: Status,
    received_at: f64,
}

/// The feed from the context.
pub fn use_feed() -> SyncFeed {
    expect_context()
}

impl SyncFeed {
    /// Provides the feed as context. It is subscribed while the signed-in user may see the sync.
    pub fn provide() {
        let (i18n, session) = (use_i18n(), use_session());
        let (received, now) = (RwSignal::new(None), RwSignal::new(Date::now()));
        let wanted = move || session.may(Act::SeeSync).then(|| i18n.locale());
        let live = LiveSubscription::new(session, wanted, status_subscription, move |response| {
            let received_at = Date::now();
            now.try_set(received_at);
            // A message that this version cannot parse keeps the last status.
            if let Ok(status) = read_status(response) {
                received.try_set(Some(Received { status, received_at }));
            }
        });
        if let Ok(interval) = set_interval_with_handle(
            move || {
                now.try_set(Date::now());
            },
            CLOCK_INTERVAL,
        ) {
            on_cleanup(move || interval.clear());
        }
        provide_context(Self { live, received, now, i18n });
    }

    /// Reads the sync's status, if it is known; tracked.
    pub fn status<T>(self, read: impl FnOnce(&Status) -> T) -> Option<T> {
        self.received.with(|received| received.as_ref().map(|received| read(&received.status)))
    }

    /// The run in progress; tracked.
    pub fn running(self) -> Option<Run> {
        self.status(|status| status.running.clone()).flatten()
    }

    /// The status of one service; tracked.
    pub fn driver(self, driver: Driver) -> Option<DriverStatus> {
        let find = |status: &Status| status.drivers.iter().find(|status| status.driver == driver).cloned();
        self.status(find).flatten()
    }

    /// The age of the status in seconds; tracked.
    pub fn age(self) -> f64 {
        self.received
            .with(|received| received.as_ref().map_or(0.0, |received| self.since(received.received_at)))
    }

    /// The seconds since an RFC 3339 timestamp; tracked.
    pub fn seconds_since(self, rfc3339: &str) -> f64 {
        self.since(Date::parse(rfc3339))
    }

    fn since(self, milliseconds: f64) -> f64 {
        ((self.now.get() - milliseconds) / 1_000.0).max(0.0)
    }

    /// The formatter of recent timestamps, in the hub's time zone; tracked.
    pub fn time_format(self) -> TimeFormat {
        TimeFormat::new(self.i18n.locale(), &self.timezone())
    }

    /// The formatter of numbers and durations; tracked.
    pub fn format(self) -> Format {
        Format::new(self.i18n.locale(), &self.timezone())
    }

    fn timezone(self) -> String {
        self.status(|status| status.timezone.clone()).unwrap_or_default()
    }
}
