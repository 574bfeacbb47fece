//! What all connections share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, watch};

use crate::clock::Clock;
use crate::config::Config;
use crate::fault::Plan;
use crate::ga4::Ga4Store;
use crate::journal::{Entry, Journal, Service};
use crate::mixpanel::MixpanelStore;
use crate::unpoisoned::lock;

/// How many entries a slow reader of the feed may fall behind.
const FEED: usize = 4096;

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
    ga4_gate: Gate,
    mixpanel_gate: Gate,
    connections: AtomicU64,
    started: Instant,
}

/// Figures that are kept whatever else is not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Of GA4.
    pub ga4: ServiceCounts,
    /// Of Mixpanel.
    pub mixpanel: ServiceCounts,
}

impl Counts {
    /// Those of a service.
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

/// Figures of one service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceCounts {
    /// The requests whose first byte arrived.
    pub requests: u64,
    /// Those that are in hand.
    pub in_flight: u64,
    /// The most that ever were.
    pub most_in_flight: u64,
    /// Those that a fault struck.
    pub faults: u64,
    /// The events that were stored, every copy of them.
    pub stored: u64,
    /// The events that were dropped or refused.
    pub not_stored: u64,
    /// The connections that were made.
    pub connections: u64,
}

/// Whether a service can be reached.
#[derive(Debug)]
pub(crate) struct Gate {
    pub wanted: watch::Sender<Wanted>,
    /// The last change of what is wanted that its listener has carried out.
    pub carried_out: watch::Sender<u64>,
}

/// What a listener and its connections are to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub open: bool,
    /// How often it changed; connections that idle close when it does.
    pub changes: u64,
}

impl Gate {
    fn open() -> Self {
        Self {
            wanted: watch::Sender::new(Wanted { open: true, changes: 0 }),
            carried_out: watch::Sender::new(0),
        }
    }

    /// Says what is wanted from now on, and answers with the how-manieth change that is.
    pub(crate) fn want_open(&self, open: bool) -> u64 {
        let mut change = 0;
        self.wanted.send_modify(|wanted| {
            change = wanted.changes + 1;
            *wanted = Wanted { open, changes: change };
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
            feed: broadcast::Sender::new(FEED),
            ga4_gate: Gate::open(),
            mixpanel_gate: Gate::open(),
            connections: AtomicU64::new(0),
            started: Instant::now(),
        }
    }

    pub(crate) fn config(&self) -> Arc<Config> {
        lock(&self.config).clone()
    }

    pub(crate) fn set_config(&self, config: Config) {
        *lock(&self.config) = Arc::new(config);
    }

    pub(crate) const fn gate(&self, service: Service) -> &Gate {
        match service {
            Service::Ga4 => &self.ga4_gate,
            Service::Mixpanel => &self.mixpanel_gate,
        }
    }

    /// A number for a new connection.
    pub(crate) fn connect(&self, service: Service) -> u64 {
        self.counts.send_modify(|counts| counts.of_mut(service).connections += 1);
        self.connections.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn micros(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Forgets all that came in, and the faults; settings stay.
    pub(crate) fn reset(&self) {
        let seed = {
            let mut plan = lock(&self.plan);
            plan.set_rules(Vec::new()).expect("no rules are good rules");
            plan.seed()
        };
        lock(&self.journal).clear();
        lock(&self.ga4).clear();
        *lock(&self.mixpanel) = MixpanelStore::new(seed);
        self.counts.send_modify(|counts| {
            for service in [Service::Ga4, Service::Mixpanel] {
                let old = counts.of_mut(service);
                *old = ServiceCounts { in_flight: old.in_flight, ..ServiceCounts::default() };
            }
        });
    }
}
