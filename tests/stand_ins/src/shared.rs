//! The state that all connections share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, watch};

use crate::clock::Clock;
use crate::config::Config;
use crate::fault::Plan;
use crate::ga4::Ga4Store;
use crate::journal::{Entry, Journal, Service};
use crate::mixpanel::MixpanelStore;

/// The number of entries that a slow receiver of the feed may lag behind.
const FEED_CAPACITY: usize = 4096;

#[derive(Debug)]
pub(crate) struct Shared {
    pub clock: Clock,
    config: Mutex<Arc<Config>>,
    pub plan: Mutex<Plan>,
    pub journal: Mutex<Journal>,
    pub ga4: Mutex<Ga4Store>,
    pub mixpanel: Mutex<MixpanelStore>,
    pub counts: watch::Sender<Counts>,
    pub feed: broadcast::Sender<Arc<Entry>>,
    ga4_port: PortControl,
    mixpanel_port: PortControl,
    connections: AtomicU64,
    started: Instant,
}

/// Counts of both services. They do not depend on what is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub ga4: ServiceCounts,
    pub mixpanel: ServiceCounts,
}

impl Counts {
    /// The counts of a service.
    pub const fn of(&self, service: Service) -> &ServiceCounts {
        match service {
            Service::Ga4 => &self.ga4,
            Service::Mixpanel => &self.mixpanel,
        }
    }

    pub(crate) const fn of_mut(&mut self, service: Service) -> &mut ServiceCounts {
        match service {
            Service::Ga4 => &mut self.ga4,
            Service::Mixpanel => &mut self.mixpanel,
        }
    }
}

/// Counts of one service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceCounts {
    /// Requests whose first byte has arrived.
    pub requests: u64,
    /// Requests in flight now.
    pub in_flight: u64,
    /// The maximum of `in_flight` so far.
    pub most_in_flight: u64,
    /// Requests with an injected fault.
    pub faults: u64,
    /// Stored events, including duplicates.
    pub stored: u64,
    /// Events that were dropped or refused.
    pub not_stored: u64,
    /// Accepted connections.
    pub connections: u64,
}

/// Controls whether a service's port is open.
#[derive(Debug)]
pub(crate) struct PortControl {
    pub desired: watch::Sender<DesiredState>,
    /// The number of the last change that the listener has applied.
    pub applied: watch::Sender<u64>,
}

/// The desired state of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DesiredState {
    pub open: bool,
    /// The number of changes so far. Each change closes idle connections.
    pub changes: u64,
}

impl PortControl {
    fn open() -> Self {
        Self {
            desired: watch::Sender::new(DesiredState { open: true, changes: 0 }),
            applied: watch::Sender::new(0),
        }
    }

    /// Sets the desired state, and returns the number of this change.
    pub(crate) fn request_state(&self, open: bool) -> u64 {
        let mut change = 0;
        self.desired.send_modify(|desired| {
            change = desired.changes + 1;
            *desired = DesiredState { open, changes: change };
        });
        change
    }
}

impl Shared {
    pub(crate) fn new(seed: u64) -> Self {
        let mut plan = Plan::default();
        plan.set_seed(seed);
        Self {
            clock: Clock::default(),
            config: Mutex::default(),
            plan: Mutex::new(plan),
            journal: Mutex::default(),
            ga4: Mutex::default(),
            mixpanel: Mutex::new(MixpanelStore::new(seed)),
            counts: watch::Sender::default(),
            feed: broadcast::Sender::new(FEED_CAPACITY),
            ga4_port: PortControl::open(),
            mixpanel_port: PortControl::open(),
            connections: AtomicU64::new(0),
            started: Instant::now(),
        }
    }

    pub(crate) fn config(&self) -> Arc<Config> {
        self.config.lock().clone()
    }

    pub(crate) fn set_config(&self, config: Config) {
        *self.config.lock() = Arc::new(config);
    }

    pub(crate) const fn port_control(&self, service: Service) -> &PortControl {
        match service {
            Service::Ga4 => &self.ga4_port,
            Service::Mixpanel => &self.mixpanel_port,
        }
    }

    /// Counts a new connection, and returns its number.
    pub(crate) fn count_connection(&self, service: Service) -> u64 {
        self.counts.send_modify(|counts| counts.of_mut(service).connections += 1);
        self.connections.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn elapsed_micros(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Deletes all requests, stored events and rules. The clock and the configuration stay.
    pub(crate) fn reset(&self) {
        let seed = {
            let mut plan = self.plan.lock();
            plan.set_rules(Vec::new()).expect("an empty list of rules is valid");
            plan.seed()
        };
        self.journal.lock().clear();
        self.ga4.lock().clear();
        *self.mixpanel.lock() = MixpanelStore::new(seed);
        self.counts.send_modify(|counts| {
            for service in [Service::Ga4, Service::Mixpanel] {
                let old = counts.of_mut(service);
                *old = ServiceCounts { in_flight: old.in_flight, ..ServiceCounts::default() };
            }
        });
    }
}
