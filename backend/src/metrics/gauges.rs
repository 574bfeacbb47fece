//! Gauges, read at each scrape: those of the database, which are the same in every process, and those of this
//! process.

use chrono::{DateTime, Utc};
use domain::Driver;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::{Registry, Unit};

use super::{Labels, PREFIX};
use crate::models::sync_run::Outage;

/// The values of all gauges at one moment.
#[derive(Clone, Debug)]
pub struct Gauges {
    /// `None` if the database did not answer in time.
    pub database: Option<DatabaseGauges>,
    pub pool: PoolGauges,
    /// Player events in this process that are waiting to be recorded.
    pub ingest_waiting: usize,
    /// Bytes that exports of this process have buffered on disk.
    pub export_spool_bytes: u64,
}

/// The database connections of this process.
#[derive(Clone, Copy, Debug)]
pub struct PoolGauges {
    pub max: usize,
    pub open: usize,
    pub in_use: usize,
    /// Requests and jobs that are waiting for a connection.
    pub waiting: usize,
}

/// The gauges that are read from the database.
#[derive(Clone, Debug)]
pub struct DatabaseGauges {
    /// Player events that are pending for any driver.
    pub pending_events: i64,
    pub oldest_pending_seconds: f64,
    /// Whether the backlog exceeds a limit.
    pub is_alarmed: bool,
    /// Whether a sync run is in progress in any process.
    pub is_running: bool,
    /// When the last run that had something to do ended.
    pub last_run_ended: Option<DateTime<Utc>>,
    pub drivers: Vec<DriverGauges>,
}

/// The gauges of one driver.
#[derive(Clone, Debug)]
pub struct DriverGauges {
    pub driver: Driver,
    pub is_enabled: bool,
    /// Pending deliveries.
    pub pending: i64,
    /// Dead and expired deliveries.
    pub dead: i64,
    /// Why the last run stopped sending to the driver.
    pub outage: Option<Outage>,
}

impl Gauges {
    /// A registry for one response. It omits a gauge whose value is unknown rather than show an old one.
    pub(super) fn registry(&self) -> Registry {
        let mut registry = Registry::with_prefix(PREFIX);
        let Self { database, pool, ingest_waiting, export_spool_bytes } = self;
        let help = "Bytes of exports buffered on disk for clients that are slower than the database";
        let spooled = ConstGauge::new(*export_spool_bytes);
        registry.register_with_unit("export_spool", help, Unit::Bytes, spooled);
        let mut gauge = |name: &str, help: &str, value: usize| {
            registry.register(name, help, ConstGauge::new(value));
        };
        let PoolGauges { max, open, in_use, waiting } = *pool;
        gauge("database_up", "Whether the database answered in time", usize::from(database.is_some()));
        gauge("database_pool_connections_max", "Maximum number of connections", max);
        gauge("database_pool_connections", "Open connections", open);
        gauge("database_pool_connections_in_use", "Connections in use", in_use);
        gauge("database_pool_waiting", "Requests and jobs waiting for a connection", waiting);
        gauge("ingest_queue_events", "Player events waiting to be recorded", *ingest_waiting);
        if let Some(database) = database {
            database.register(&mut registry);
        }
        registry
    }
}

impl DatabaseGauges {
    fn register(&self, registry: &mut Registry) {
        let Self { pending_events, oldest_pending_seconds, is_alarmed, is_running, last_run_ended, drivers } =
            self;
        let help = "Player events that are pending for any driver";
        registry.register("sync_pending_events", help, ConstGauge::new(*pending_events));
        let help = "Age of the oldest pending event, or 0 if none is pending";
        let age = ConstGauge::new(*oldest_pending_seconds);
        registry.register_with_unit("sync_oldest_pending_age", help, Unit::Seconds, age);
        let help = "Whether the backlog exceeds a limit";
        registry.register("sync_backlog_alarm", help, ConstGauge::new(i64::from(*is_alarmed)));
        let help = "Whether a sync run is in progress, in any process";
        registry.register("sync_running", help, ConstGauge::new(i64::from(*is_running)));
        if let Some(ended) = last_run_ended {
            let help = "When the last sync run that had something to do ended";
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
            for kind in OUTAGE_KINDS {
                let is_current = outage.as_ref().is_some_and(|outage| self::kind(outage) == kind);
                outages.get_or_create(&[label, ("kind", kind)]).set(i64::from(is_current));
            }
        }
        registry.register("sync_driver_enabled", "Whether a driver is enabled", enabled);
        registry.register("sync_pending_deliveries", "Events that are pending for a driver", pending);
        registry.register("sync_dead_deliveries", "Dead and expired events of a driver", dead);
        let help = "Why the last run stopped sending to a driver, if it did";
        registry.register("sync_driver_outage", help, outages);
    }
}

const OUTAGE_KINDS: [&str; 5] = ["refused", "refusing", "unreachable", "down", "paused"];

const fn kind(outage: &Outage) -> &'static str {
    match outage {
        Outage::Refused { .. } => "refused",
        Outage::Refusing { .. } => "refusing",
        Outage::Unreachable => "unreachable",
        Outage::Down { .. } => "down",
        Outage::Paused => "paused",
    }
}
