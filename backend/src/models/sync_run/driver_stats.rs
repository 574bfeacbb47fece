//! A driver's share in a run of the sync.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::models::driver::Driver;

/// What a driver did in a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The driver.
    pub driver: Driver,
    /// Events that it took up and tried.
    #[serde(default)]
    pub attempted: u32,
    /// Events that the service accepted.
    #[serde(default)]
    pub delivered: u32,
    /// Events that were tried and are still owed.
    #[serde(default)]
    pub retrying: u32,
    /// Events that were given up.
    #[serde(default)]
    pub dead: u32,
    /// Events that were too old to be sent.
    #[serde(default)]
    pub expired: u32,
    /// HTTP requests.
    #[serde(default)]
    pub requests: u32,
    /// Why it was given up for this run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
}

/// What keeps a service from taking anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Trouble {
    /// It does not let us in, or is not there: its answer's HTTP status.
    Refused {
        /// The status.
        http_status: u16,
    },
    /// It refused what it was sent, and not for what the events are: its last answer's HTTP status.
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

impl Share {
    /// Nothing done yet.
    pub const fn new(driver: Driver) -> Self {
        let (attempted, delivered, retrying, dead, expired, requests) = (0, 0, 0, 0, 0, 0);
        Self { driver, attempted, delivered, retrying, dead, expired, requests, trouble: None }
    }

    /// Those of a row; one that cannot be read is left out.
    pub(super) fn read(stored: Value) -> Vec<Self> {
        let Value::Array(shares) = stored else { return Vec::new() };
        shares.into_iter().filter_map(|share| serde_json::from_value(share).ok()).collect()
    }

    /// As they are stored.
    pub(super) fn store(shares: &[Self]) -> Value {
        serde_json::to_value(shares).expect("numbers and names are JSON")
    }
}
