//! What was asked, in the order in which it came.

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::Keep;
use crate::fault::Fault;
use crate::verdict::Verdict;

mod body;

/// One of the two services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// Google Analytics 4.
    Ga4,
    /// Mixpanel.
    Mixpanel,
}

/// A request and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The how-manieth it was, of both services together, by the arrival of its first byte.
    pub order: u64,
    /// When its first byte arrived, on the stand-ins' clock.
    pub at: DateTime<Utc>,
    /// The same in microseconds since the stand-ins were started, on a clock that only goes forward.
    pub arrived_micros: u64,
    /// The connection it came on.
    pub connection: u64,
    /// How many requests this service had in hand, this one included.
    pub in_flight: u64,
    /// Whom it was for.
    pub service: Service,
    /// The method; empty where a fault came before it was read.
    pub method: String,
    /// The path.
    pub route: String,
    /// The query, secrets and all.
    pub query: Vec<(String, String)>,
    /// The headers, their names in small letters.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    #[serde(with = "body")]
    pub body: Vec<u8>,
    /// What was read in it.
    pub events: Vec<JournalEvent>,
    /// The answer's status, where one began to go out.
    pub status: Option<u16>,
    /// The fault that struck.
    pub fault: Option<Struck>,
}

impl Entry {
    /// A header's value; the name in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The ids of its events.
    pub fn event_uids(&self) -> Vec<&str> {
        self.events.iter().filter_map(|event| event.uid.as_deref()).collect()
    }
}

/// An event of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JournalEvent {
    /// Its `event_uid`, or in Mixpanel else its `$insert_id`.
    pub uid: Option<String>,
    /// As it was sent.
    pub event: Value,
    /// What became of it.
    pub verdict: Verdict,
}

/// A fault and the rule that it is of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Struck {
    /// The rule's name, or else its place in the list.
    pub rule: String,
    /// What it did.
    pub fault: Fault,
}

/// The entries that are kept.
#[derive(Debug, Default)]
pub(crate) struct Journal(VecDeque<Arc<Entry>>);

impl Journal {
    pub(crate) fn push(&mut self, entry: Arc<Entry>, keep: Keep) {
        keep_last(&mut self.0, entry, keep);
    }

    /// In the order of arrival.
    pub(crate) fn entries(&self) -> Vec<Arc<Entry>> {
        let mut entries: Vec<_> = self.0.iter().cloned().collect();
        entries.sort_by_key(|entry| entry.order);
        entries
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

/// Adds one to a list that is not to grow beyond what is kept.
pub(crate) fn keep_last<T>(list: &mut VecDeque<T>, one: T, keep: Keep) {
    let limit = match keep {
        Keep::All => usize::MAX,
        Keep::Last(limit) => limit,
        Keep::Nothing => 0,
    };
    if limit > 0 {
        list.push_back(one);
    }
    while list.len() > limit {
        list.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_keeps_what_it_is_told_to() {
        let mut list = VecDeque::new();
        (0..5).for_each(|number| keep_last(&mut list, number, Keep::All));
        assert_eq!(list, [0, 1, 2, 3, 4]);
        keep_last(&mut list, 5, Keep::Last(2));
        assert_eq!(list, [4, 5]);
        keep_last(&mut list, 6, Keep::Nothing);
        assert!(list.is_empty());
    }
}
