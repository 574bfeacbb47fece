//! The journal of received requests.

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::Keep;
use crate::fault::Fault;
use crate::outcome::Outcome;

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

/// A received request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The sequence number across both services, by arrival of the first byte.
    pub order: u64,
    /// When the first byte arrived, by the stand-ins' clock.
    pub at: DateTime<Utc>,
    /// When the first byte arrived, in microseconds since the stand-ins were started, by a monotonic clock.
    pub arrived_micros: u64,
    /// The number of the connection.
    pub connection: u64,
    /// The number of requests in flight at the service, including this one.
    pub in_flight: u64,
    pub service: Service,
    /// Empty if a fault came before the head was read.
    pub method: String,
    /// The path.
    pub route: String,
    /// The query parameters, including secrets.
    pub query: Vec<(String, String)>,
    /// The names are in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as received, before decompression.
    #[serde(with = "body")]
    pub body: Vec<u8>,
    pub events: Vec<JournalEvent>,
    /// The status of the response, if any of it was sent.
    pub status: Option<u16>,
    pub fault: Option<InjectedFault>,
}

impl Entry {
    /// The value of a header. The name must be in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The ids of the events.
    pub fn event_uids(&self) -> Vec<&str> {
        self.events.iter().filter_map(|event| event.uid.as_deref()).collect()
    }
}

/// An event of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JournalEvent {
    /// The `event_uid`, or for Mixpanel the `$insert_id` if there is none.
    pub uid: Option<String>,
    /// The event as received.
    pub event: Value,
    pub verdict: Outcome,
}

/// A fault that was injected, with its rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InjectedFault {
    /// The rule's name, or its index if it has no name.
    pub rule: String,
    pub fault: Fault,
}

/// The entries of the journal.
#[derive(Debug, Default)]
pub(crate) struct Journal(VecDeque<Arc<Entry>>);

impl Journal {
    pub(crate) fn push(&mut self, entry: Arc<Entry>, keep: Keep) {
        push_bounded(&mut self.0, entry, keep);
    }

    /// The entries in order of arrival.
    pub(crate) fn entries(&self) -> Vec<Arc<Entry>> {
        let mut entries: Vec<_> = self.0.iter().cloned().collect();
        entries.sort_by_key(|entry| entry.order);
        entries
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

/// Appends an item to a list, and removes the oldest items beyond the limit.
pub(crate) fn push_bounded<T>(list: &mut VecDeque<T>, item: T, keep: Keep) {
    let limit = match keep {
        Keep::All => usize::MAX,
        Keep::Last(limit) => limit,
        Keep::Nothing => 0,
    };
    if limit > 0 {
        list.push_back(item);
    }
    while list.len() > limit {
        list.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_keeps_at_most_its_limit() {
        let mut list = VecDeque::new();
        (0..5).for_each(|number| push_bounded(&mut list, number, Keep::All));
        assert_eq!(list, [0, 1, 2, 3, 4]);
        push_bounded(&mut list, 5, Keep::Last(2));
        assert_eq!(list, [4, 5]);
        push_bounded(&mut list, 6, Keep::Nothing);
        assert!(list.is_empty());
    }
}
