//! Delivery of player events: runs, requests and outcomes, by driver.

use std::time::Duration;

use domain::Driver;
use domain::sync::SyncState;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::Labels;
use crate::models::telemetry_delivery::{DeliveryState, DeliveryUpdate};

/// Metrics of the delivery of player events.
#[derive(Debug)]
pub struct Sync {
    runs: Family<Labels<1>, Counter>,
    deliveries: Family<Labels<3>, Counter>,
    requests: Family<Labels<2>, Histogram, fn() -> Histogram>,
    breaker_open: Family<Labels<1>, Gauge>,
}

impl Sync {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let sync = Self {
            runs: Family::default(),
            deliveries: Family::default(),
            requests: Family::new_with_constructor(driver_request_histogram),
            breaker_open: Family::default(),
        };
        for driver in Driver::ALL {
            drop(sync.deliveries.get_or_create(&delivery(driver, "delivered", "")));
            sync.set_breaker_state(driver, BreakerState::Closed);
        }
        let help = "Runs of the sync that ended, by state";
        registry.register("sync_runs", help, sync.runs.clone());
        let help = "Outcomes of events at a driver; for those that are retried or dead also by reason";
        registry.register("sync_deliveries", help, sync.deliveries.clone());
        let help = "Duration of requests to a driver, by outcome";
        registry.register_with_unit("sync_request_duration", help, Unit::Seconds, sync.requests.clone());
        let help = "Whether this process has paused sending to a driver that failed or asked for a pause";
        registry.register("sync_breaker_open", help, sync.breaker_open.clone());
        sync
    }

    /// Counts a run that ended.
    pub fn run_ended(&self, state: SyncState) {
        self.runs.get_or_create(&[("state", state.key())]).inc();
    }

    /// Counts recorded outcomes.
    pub fn recorded(&self, updates: &[DeliveryUpdate]) {
        for DeliveryUpdate { driver, state, error_class, .. } in updates {
            let reason = error_class.unwrap_or_default();
            let labels = match state {
                DeliveryState::Delivered => delivery(*driver, "delivered", ""),
                DeliveryState::Retry => delivery(*driver, "retried", reason),
                DeliveryState::Dead => delivery(*driver, "dead", reason),
                DeliveryState::Expired => delivery(*driver, "expired", ""),
                DeliveryState::Pending => continue,
            };
            self.deliveries.get_or_create(&labels).inc();
        }
    }

    /// Counts a request to a driver.
    pub fn request_ended(&self, driver: Driver, outcome: &'static str, took: Duration) {
        let labels = [("driver", driver.key()), ("outcome", outcome)];
        self.requests.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Sets the state of a driver's circuit breaker.
    pub fn set_breaker_state(&self, driver: Driver, state: BreakerState) {
        self.breaker_open.get_or_create(&[("driver", driver.key())]).set(match state {
            BreakerState::Open => 1,
            BreakerState::Closed => 0,
        });
    }
}

/// The state of a driver's circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// No requests are sent to the driver for now.
    Open,
    /// Requests are sent to the driver.
    Closed,
}

const fn delivery(driver: Driver, outcome: &'static str, reason: &'static str) -> Labels<3> {
    [("driver", driver.key()), ("outcome", outcome), ("reason", reason)]
}

/// A histogram of request durations, from a service on the same network to one that reaches the timeout.
fn driver_request_histogram() -> Histogram {
    Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0])
}
