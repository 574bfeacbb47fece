//! A driver's stats in a run of the sync.

use domain::Driver;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a driver did in a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverStats {
    /// The driver.
    pub driver: Driver,
    /// Events that were attempted.
    #[serde(default)]
    pub attempted: u32,
    /// Events that the service accepted.
    #[serde(default)]
    pub delivered: u32,
    /// Events that were attempted and are still pending.
    #[serde(default)]
    pub retrying: u32,
    /// Events that are dead.
    #[serde(default)]
    pub dead: u32,
    /// Events that were too old to be sent.
    #[serde(default)]
    pub expired: u32,
    /// HTTP requests.
    #[serde(default)]
    pub requests: u32,
    /// Why the run stopped sending to it.
    #[serde(default, rename = "trouble", skip_serializing_if = "Option::is_none")]
    pub outage: Option<Outage>,
}

/// What keeps a service from taking anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outage {
    /// It rejects our credentials, or is not at this address: the response's HTTP status.
    Refused {
        /// The status.
        http_status: u16,
    },
    /// It refuses events, whatever they are: the last response's HTTP status.
    Refusing {
        /// The status.
        http_status: u16,
        /// Events that it refused.
        events: u32,
    },
    /// It cannot be reached, or does not answer.
    Unreachable,
    /// It answers that something is wrong on its side: its answer's HTTP status.
    Down {
        /// The status.
        http_status: u16,
    },
    /// It asked for a pause.
    Paused,
}

impl DriverStats {
    /// Nothing done yet.
    pub const fn new(driver: Driver) -> Self {
        let (attempted, delivered, retrying, dead, expired, requests) = (0, 0, 0, 0, 0, 0);
        Self { driver, attempted, delivered, retrying, dead, expired, requests, outage: None }
    }

    /// Those of a row; one that cannot be read is left out.
    pub(super) fn read(stored: Value) -> Vec<Self> {
        let Value::Array(drivers) = stored else { return Vec::new() };
        drivers.into_iter().filter_map(|stats| serde_json::from_value(stats).ok()).collect()
    }

    /// As they are stored.
    pub(super) fn store(drivers: &[Self]) -> Value {
        serde_json::to_value(drivers).expect("numbers and names are JSON")
    }
}
