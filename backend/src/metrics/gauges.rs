//! How things stand when somebody asks: what the database says, which is the same whatever process is asked, and what
//! this process is at.

use chrono::{DateTime, Utc};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::{Registry, Unit};

use super::{Labels, PREFIX};
use crate::models::driver::Driver;
use crate::models::sync_run::Outage;

/// How things stand.
#[derive(Clone, Debug)]
pub struct Gauges {
    /// What the database says; nothing when it did not answer in time.
    pub stored: Option<Stored>,
    /// The database connections of this process.
    pub pool: Connections,
    /// Player events that wait in this process to be recorded.
    pub ingest_waiting: usize,
    /// Bytes that exports of this process keep on disk for their readers.
    pub export_spool_bytes: u64,
}

/// Database connections.
#[derive(Clone, Copy, Debug)]
pub struct Connections {
    /// There may be so many.
    pub most: usize,
    /// So many are open.
    pub open: usize,
    /// So many of them are in use.
    pub in_use: usize,
    /// So many wait for one.
    pub waiting: usize,
}

/// What the database says.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Player events that are pending for any driver.
    pub pending_events: i64,
    /// The age of the oldest of them.
    pub oldest_pending_seconds: f64,
    /// Whether the backlog exceeds a limit.
    pub is_alarmed: bool,
    /// Whether a run of the sync is under way, in whatever process.
    pub is_running: bool,
    /// When the last run ended that found something to do.
    pub last_run_ended: Option<DateTime<Utc>>,
    /// Every driver.
    pub drivers: Vec<DriverGauges>,
}

/// How a driver does.
#[derive(Clone, Debug)]
pub struct DriverGauges {
    /// Which one.
    pub driver: Driver,
    /// Whether it is enabled.
    pub is_enabled: bool,
    /// Pending deliveries.
    pub pending: i64,
    /// Dead and expired deliveries.
    pub dead: i64,
    /// Why the last run stopped sending to it.
    pub outage: Option<Outage>,
}

impl Gauges {
    /// A registry for this one answer, so that a figure that is not known now is not there, rather than old.
    pub(super) fn registry(&self) -> Registry {
        let mut registry = Registry::with_prefix(PREFIX);
        let Self { stored, pool, ingest_waiting, export_spool_bytes } = self;
        let help = "Bytes that exports keep on disk for readers who are slower than the database";
        let spooled = ConstGauge::new(*export_spool_bytes);
        registry.register_with_unit("export_spool", help, Unit::Bytes, spooled);
        let mut gauge = |name: &str, help: &str, value: usize| {
            registry.register(name, help, ConstGauge::new(value));
        };
        let Connections { most, open, in_use, waiting } = *pool;
        gauge("database_up", "Whether the database answered in time", usize::from(stored.is_some()));
        gauge("database_pool_connections_max", "The most connections that there may be", most);
        gauge("database_pool_connections", "Connections that are open", open);
        gauge("database_pool_connections_in_use", "Connections that are in use", in_use);
        gauge("database_pool_waiting", "Who waits for a connection", waiting);
        gauge("ingest_queue_events", "Player events that wait to be recorded", *ingest_waiting);
        if let Some(stored) = stored {
            stored.register(&mut registry);
        }
        registry
    }
}

impl Stored {
    fn register(&self, registry: &mut Registry) {
        let Self { pending_events, oldest_pending_seconds, is_alarmed, is_running, last_run_ended, drivers } =
            self;
        let help = "Player events that are pending for any driver";
        registry.register("sync_pending_events", help, ConstGauge::new(*pending_events));
        let help = "Age of the oldest pending event; 0 if none is pending";
        let age = ConstGauge::new(*oldest_pending_seconds);
        registry.register_with_unit("sync_oldest_pending_age", help, Unit::Seconds, age);
        let help = "Whether the backlog exceeds a limit";
        registry.register("sync_backlog_alarm", help, ConstGauge::new(i64::from(*is_alarmed)));
        let help = "Whether a sync run is in progress, in any process";
        registry.register("sync_running", help, ConstGauge::new(i64::from(*is_running)));
        if let Some(ended) = last_run_ended {
            let help = "When the last sync run ended that had something to do";
            let ended = ConstGauge::new(ended.timestamp());
            registry.register_with_unit("sync_last_run_timestamp", help, Unit::Seconds, ended);
        }
        let [enabled, pending, dead] = [(); 3].map(|()| Family::<Labels<1>, Gauge>::default());
        let outages = Family::<Labels<2>, Gauge>::default();
        for driver in drivers {
            let DriverGauges {
                driver,
                is_enabled,
                pending: pending_deliveries,
                dead: dead_deliveries,
                outage,
            } = driver;
            let label = ("driver", driver.key());
            enabled.get_or_create(&[label]).set(i64::from(*is_enabled));
            pending.get_or_create(&[label]).set(*pending_deliveries);
            dead.get_or_create(&[label]).set(*dead_deliveries);
            for kind in OUTAGES {
                let is_it = outage.as_ref().is_some_and(|outage| self::kind(outage) == kind);
                outages.get_or_create(&[label, ("kind", kind)]).set(i64::from(is_it));
            }
        }
        registry.register("sync_driver_enabled", "Whether a driver is enabled", enabled);
        registry.register("sync_pending_deliveries", "Events that are pending for a driver", pending);
        registry.register("sync_dead_deliveries", "Dead and expired events of a driver", dead);
        let help = "Why the last run stopped sending to a driver, if it did";
        registry.register("sync_driver_outage", help, outages);
    }
}

const OUTAGES: [&str; 5] = ["refused", "refusing", "unreachable", "down", "paused"];

const fn kind(outage: &Outage) -> &'static str {
    match outage {
        Outage::Refused { .. } => "refused",
        Outage::Refusing { .. } => "refusing",
        Outage::Unreachable => "unreachable",
        Outage::Down { .. } => "down",
        Outage::Paused => "paused",
    }
}
