//! The events stored in GA4, which does not deduplicate.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::config::Keep;
use crate::journal::push_bounded;
use crate::outcome::Flag;

/// An event stored in GA4.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredGa4 {
    /// The measurement id or Firebase app id.
    pub stream: String,
    /// The `client_id`, or the `app_instance_id` of an app.
    pub client_id: String,
    pub user_id: Option<String>,
    pub name: String,
    /// The parameter `event_uid`.
    pub event_uid: Option<String>,
    /// In microseconds since the epoch.
    pub timestamp_micros: i64,
    pub received_at: DateTime<Utc>,
    pub flags: Vec<Flag>,
    /// The accepted parameters.
    pub params: Map<String, Value>,
    /// The names of the ignored parameters.
    pub ignored_params: Vec<String>,
}

/// The events stored in GA4.
#[derive(Debug, Default)]
pub(crate) struct Ga4Store(VecDeque<StoredGa4>);

impl Ga4Store {
    pub(crate) fn push(&mut self, event: StoredGa4, keep: Keep) {
        push_bounded(&mut self.0, event, keep);
    }

    pub(crate) fn events(&self) -> Vec<StoredGa4> {
        self.0.iter().cloned().collect()
    }

    /// The number of copies of each event with an `event_uid`.
    pub(crate) fn copies(&self) -> BTreeMap<String, usize> {
        let mut copies = BTreeMap::new();
        for uid in self.0.iter().filter_map(|event| event.event_uid.clone()) {
            *copies.entry(uid).or_default() += 1;
        }
        copies
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
