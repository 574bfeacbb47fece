//! How the sync stands, as the server tells it while the page is open: one subscription for all that show it.

use domain::access::Act;
use js_sys::Date;
use leptos::prelude::*;

use crate::api::sync::report::{Driver, DriverStatus, Run, Status};
use crate::api::sync::{read_status, status_changes};
use crate::i18n::format::Format;
use crate::i18n::moments::Moments;
use crate::i18n::{I18n, use_i18n};
use crate::live::Live;
use crate::session::use_session;

/// How often what is told relative to now is told anew.
const TICK: std::time::Duration = std::time::Duration::from_secs(10);

/// How the sync stands, and how it stands with the connection that tells it.
#[derive(Clone, Copy)]
pub struct SyncFeed {
    /// The connection.
    pub live: Live,
    received: RwSignal<Option<Received>>,
    /// Now, in milliseconds, as far as it matters to a reader.
    now: RwSignal<f64>,
    i18n: I18n,
}

/// What was received last, and when.
#[derive(Clone)]
struct Received {
    status: Status,
    at: f64,
}

/// The feed around a component.
pub fn use_feed() -> SyncFeed {
    expect_context()
}

impl SyncFeed {
    /// Gives the feed to everything below; it listens while whoever is signed in may see the sync.
    pub fn provide() {
        let (i18n, session) = (use_i18n(), use_session());
        let (received, now) = (RwSignal::new(None), RwSignal::new(Date::now()));
        let wanted = move || session.may(Act::SeeSync).then(|| i18n.locale());
        let live = Live::new(session, wanted, status_changes, move |answer| {
            let at = Date::now();
            now.try_set(at);
            // An answer that this version cannot read leaves what it could read last.
            if let Ok(status) = read_status(answer) {
                received.try_set(Some(Received { status, at }));
            }
        });
        if let Ok(ticking) = set_interval_with_handle(
            move || {
                now.try_set(Date::now());
            },
            TICK,
        ) {
            on_cleanup(move || ticking.clear());
        }
        provide_context(Self { live, received, now, i18n });
    }

    /// How the sync stands, once it is known; tracked.
    pub fn status<T>(self, read: impl FnOnce(&Status) -> T) -> Option<T> {
        self.received.with(|received| received.as_ref().map(|received| read(&received.status)))
    }

    /// The run that is under way; tracked.
    pub fn running(self) -> Option<Run> {
        self.status(|status| status.running.clone()).flatten()
    }

    /// How it stands with one service; tracked.
    pub fn driver(self, driver: Driver) -> Option<DriverStatus> {
        let find = |status: &Status| status.drivers.iter().find(|known| known.driver == driver).cloned();
        self.status(find).flatten()
    }

    /// How many seconds ago the status was received; tracked.
    pub fn age(self) -> f64 {
        self.received.with(|received| received.as_ref().map_or(0.0, |received| self.since(received.at)))
    }

    /// How many seconds ago a moment was that is given as RFC 3339 text; tracked.
    pub fn seconds_since(self, rfc3339: &str) -> f64 {
        self.since(Date::parse(rfc3339))
    }

    fn since(self, moment: f64) -> f64 {
        ((self.now.get() - moment) / 1_000.0).max(0.0)
    }

    /// Writes moments for the reader in the hub's time zone; tracked.
    pub fn moments(self) -> Moments {
        Moments::new(self.i18n.locale(), &self.timezone())
    }

    /// Writes numbers for the reader; tracked.
    pub fn format(self) -> Format {
        Format::new(self.i18n.locale(), &self.timezone())
    }

    fn timezone(self) -> String {
        self.status(|status| status.timezone.clone()).unwrap_or_default()
    }
}
