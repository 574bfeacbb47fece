//! What GA4 keeps. It knows no repetitions: every copy that arrives is kept and counted.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::config::Keep;
use crate::journal::keep_last;
use crate::verdict::Flag;

/// An event in GA4.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredGa4 {
    /// The stream: a measurement id or a Firebase app id.
    pub stream: String,
    /// The client_id, or of an app the app_instance_id.
    pub client_id: String,
    /// The user, where one was told.
    pub user_id: Option<String>,
    /// The event's name.
    pub name: String,
    /// The `event_uid` among its parameters.
    pub event_uid: Option<String>,
    /// The time under which it is kept, in microseconds.
    pub timestamp_micros: i64,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// What is special about it.
    pub flags: Vec<Flag>,
    /// The parameters that were kept.
    pub params: Map<String, Value>,
    /// The names of those that were not.
    pub ignored_params: Vec<String>,
}

/// All that GA4 keeps.
#[derive(Debug, Default)]
pub(crate) struct Ga4Store(VecDeque<StoredGa4>);

impl Ga4Store {
    pub(crate) fn push(&mut self, event: StoredGa4, keep: Keep) {
        keep_last(&mut self.0, event, keep);
    }

    pub(crate) fn events(&self) -> Vec<StoredGa4> {
        self.0.iter().cloned().collect()
    }

    /// How many copies there are of each event that has an `event_uid`.
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
