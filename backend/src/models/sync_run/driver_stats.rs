//! The stats of a driver in a run of the sync.

use domain::Driver;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a run did for one driver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverStats {
    pub driver: Driver,
    /// Events that the run tried to send.
    #[serde(default)]
    pub attempted: u32,
    /// Events that the service accepted.
    #[serde(default)]
    pub delivered: u32,
    /// Events that the run tried to send and that are still pending.
    #[serde(default)]
    pub retrying: u32,
    /// Events that will not be retried.
    #[serde(default)]
    pub dead: u32,
    /// Events that were too old to send.
    #[serde(default)]
    pub expired: u32,
    /// HTTP requests.
    #[serde(default)]
    pub requests: u32,
    /// Why the run stopped sending to the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outage: Option<Outage>,
}

/// Why a service accepts no events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outage {
    /// It rejects the credentials, or does not exist at this address.
    Refused { http_status: u16 },
    /// It refuses every event.
    Refusing {
        /// The status of the last response.
        http_status: u16,
        /// The number of refused events.
        events: u32,
    },
    /// It cannot be reached or does not respond.
    Unreachable,
    /// It responds with a server error.
    Down { http_status: u16 },
    /// It asked for a pause.
    Paused,
}

impl DriverStats {
    /// Creates stats with counts of zero.
    pub const fn new(driver: Driver) -> Self {
        let (attempted, delivered, retrying, dead, expired, requests) = (0, 0, 0, 0, 0, 0);
        Self { driver, attempted, delivered, retrying, dead, expired, requests, outage: None }
    }

    /// Reads the stats that are stored in a run's row. Stats that cannot be parsed are left out.
    pub(super) fn from_json(stored: Value) -> Vec<Self> {
        let Value::Array(drivers) = stored else { return Vec::new() };
        drivers.into_iter().filter_map(|stats| serde_json::from_value(stats).ok()).collect()
    }

    /// The stats as they are stored in a run's row.
    pub(super) fn to_json(drivers: &[Self]) -> Value {
        serde_json::to_value(drivers).expect("driver stats always serialize")
    }
}
