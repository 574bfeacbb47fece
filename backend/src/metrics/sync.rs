//! Player events going out: runs, requests and verdicts, by driver.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::Labels;
use crate::models::driver::Driver;
use crate::models::sync_run::SyncState;
use crate::models::telemetry_delivery::{Judged, Judgement};

/// Player events going out.
#[derive(Debug)]
pub struct Sync {
    runs: Family<Labels<1>, Counter>,
    deliveries: Family<Labels<3>, Counter>,
    requests: Family<Labels<2>, Histogram, fn() -> Histogram>,
    closed: Family<Labels<1>, Gauge>,
}

impl Sync {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let sync = Self {
            runs: Family::default(),
            deliveries: Family::default(),
            requests: Family::new_with_constructor(of_a_service),
            closed: Family::default(),
        };
        for driver in Driver::ALL {
            drop(sync.deliveries.get_or_create(&delivery(driver, "delivered", "")));
            sync.closed(driver, Closed::No);
        }
        let help = "Runs of the sync that ended, by state";
        registry.register("sync_runs", help, sync.runs.clone());
        let help = "Verdicts on events at a driver, by outcome; for those to be sent again or given up also by reason";
        registry.register("sync_deliveries", help, sync.deliveries.clone());
        let help = "How long requests to a driver took, by what they were answered with";
        registry.register_with_unit("sync_request_duration", help, Unit::Seconds, sync.requests.clone());
        let help = "Whether a run of this process leaves a driver alone for now, since it failed or asked for a pause";
        registry.register("sync_breaker_open", help, sync.closed.clone());
        sync
    }

    /// A run ended.
    pub fn run_ended(&self, state: SyncState) {
        self.runs.get_or_create(&[("state", state.key())]).inc();
    }

    /// These verdicts are on record.
    pub fn judged(&self, judgements: &[Judgement]) {
        for Judgement { driver, state, error_class, .. } in judgements {
            let reason = error_class.unwrap_or_default();
            let labels = match state {
                Judged::Delivered => delivery(*driver, "delivered", ""),
                Judged::Retry => delivery(*driver, "retried", reason),
                Judged::Dead => delivery(*driver, "dead", reason),
                Judged::Expired => delivery(*driver, "expired", ""),
                Judged::Pending => continue,
            };
            self.deliveries.get_or_create(&labels).inc();
        }
    }

    /// A request to a driver took so long; `outcome` says in a word what it was answered with.
    pub fn requested(&self, driver: Driver, outcome: &'static str, took: Duration) {
        let labels = [("driver", driver.key()), ("outcome", outcome)];
        self.requests.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Whether a driver is left alone for now.
    pub fn closed(&self, driver: Driver, closed: Closed) {
        self.closed.get_or_create(&[("driver", driver.key())]).set(match closed {
            Closed::Yes => 1,
            Closed::No => 0,
        });
    }
}

/// Whether a driver is left alone for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// Nothing is sent to it.
    Yes,
    /// It is sent to.
    No,
}

const fn delivery(driver: Driver, outcome: &'static str, reason: &'static str) -> Labels<3> {
    [("driver", driver.key()), ("outcome", outcome), ("reason", reason)]
}

/// From a service next door to one that makes us wait until the time limit.
fn of_a_service() -> Histogram {
    Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0])
}
