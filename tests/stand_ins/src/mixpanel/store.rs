//! The events stored in Mixpanel: all copies, and the deduplicated view of reports.

use std::collections::{BTreeMap, HashMap, VecDeque};

use chrono::{DateTime, NaiveDate, Utc};
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::config::{Config, Keep};
use crate::journal::push_bounded;
use crate::outcome::Flag;

/// An event to store.
#[derive(Debug, Clone)]
pub(crate) struct NewEvent {
    pub project: String,
    pub event: String,
    pub distinct_id: String,
    pub time_millis: i64,
    /// `None` if Mixpanel has to generate one.
    pub insert_id: Option<String>,
    pub event_uid: Option<String>,
    pub flags: Vec<Flag>,
    pub properties: Map<String, Value>,
}

/// An event stored in Mixpanel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredMixpanel {
    /// The sequence number among the stored events.
    pub ingested: u64,
    /// The project's id.
    pub project: String,
    /// The event's name.
    pub event: String,
    pub distinct_id: String,
    /// In milliseconds since the epoch.
    pub time_millis: i64,
    /// The `$insert_id`, sent or generated.
    pub insert_id: String,
    /// The property `event_uid`.
    pub event_uid: Option<String>,
    pub flags: Vec<Flag>,
    pub properties: Map<String, Value>,
}

/// The key by which Mixpanel deduplicates events. Source: "Event deduplication", which lists the name, the
/// user, the time and the `$insert_id`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DedupKey {
    /// The project's id. Events of different projects are never duplicates.
    pub project: String,
    /// The event's name.
    pub event: String,
    pub distinct_id: String,
    /// In milliseconds since the epoch.
    pub time_millis: i64,
    /// The `$insert_id`.
    pub insert_id: String,
}

impl StoredMixpanel {
    /// The key by which Mixpanel deduplicates the event.
    pub fn dedup_key(&self) -> DedupKey {
        DedupKey {
            project: self.project.clone(),
            event: self.event.clone(),
            distinct_id: self.distinct_id.clone(),
            time_millis: self.time_millis,
            insert_id: self.insert_id.clone(),
        }
    }
}

/// The events stored in Mixpanel.
#[derive(Debug)]
pub(crate) struct MixpanelStore {
    events: VecDeque<StoredMixpanel>,
    ingested: u64,
    /// The number of events by project, user and day.
    per_user_and_day: HashMap<(String, String, NaiveDate), u64>,
    id_rng: ChaCha8Rng,
}

impl MixpanelStore {
    /// An empty store. Generated ids come from this seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            events: VecDeque::new(),
            ingested: 0,
            per_user_and_day: HashMap::new(),
            id_rng: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    pub(crate) fn push(&mut self, new: NewEvent, config: &Config) {
        self.ingested += 1;
        // Nothing is kept in benchmarks, so the counts per user must not fill the memory either.
        if config.stored == Keep::Nothing {
            return;
        }
        let NewEvent {
            project,
            mut event,
            mut distinct_id,
            time_millis,
            insert_id,
            event_uid,
            mut flags,
            properties,
        } = new;
        if self.is_hot(&project, &distinct_id, time_millis, config.mixpanel.hot_shard_threshold) {
            "$hotshard_events".clone_into(&mut event);
            distinct_id.clear();
            flags.push(Flag::HotShard);
        }
        let insert_id = insert_id.unwrap_or_else(|| format!("made-{:016x}", self.id_rng.next_u64()));
        let ingested = self.ingested;
        let stored = StoredMixpanel {
            ingested,
            project,
            event,
            distinct_id,
            time_millis,
            insert_id,
            event_uid,
            flags,
            properties,
        };
        push_bounded(&mut self.events, stored, config.stored);
    }

    /// All copies, in order of arrival.
    pub(crate) fn raw(&self) -> Vec<StoredMixpanel> {
        self.events.iter().cloned().collect()
    }

    /// The events in reports: the latest copy of each deduplication key.
    pub(crate) fn deduped(&self) -> Vec<StoredMixpanel> {
        let latest: BTreeMap<DedupKey, &StoredMixpanel> =
            self.events.iter().map(|event| (event.dedup_key(), event)).collect();
        let mut events: Vec<_> = latest.into_values().cloned().collect();
        events.sort_by_key(|event| event.ingested);
        events
    }

    /// Counts an event, and returns whether the user has more events on that day than one shard accepts.
    fn is_hot(&mut self, project: &str, distinct_id: &str, time_millis: i64, threshold: u64) -> bool {
        // Events without a user are distributed over all shards.
        if distinct_id.is_empty() {
            return false;
        }
        let day = DateTime::<Utc>::from_timestamp_millis(time_millis).unwrap_or_default().date_naive();
        let count =
            self.per_user_and_day.entry((project.to_owned(), distinct_id.to_owned(), day)).or_default();
        *count += 1;
        *count > threshold
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(distinct_id: &str, time_millis: i64, insert_id: Option<&str>) -> NewEvent {
        NewEvent {
            project: "1".to_owned(),
            event: "play".to_owned(),
            distinct_id: distinct_id.to_owned(),
            time_millis,
            insert_id: insert_id.map(str::to_owned),
            event_uid: None,
            flags: Vec::new(),
            properties: Map::new(),
        }
    }

    #[test]
    fn copies_are_deduplicated_only_if_all_four_parts_agree() {
        let mut store = MixpanelStore::new(1);
        let config = Config::default();
        for (user, time, id) in [
            ("42", 1, Some("a")),
            ("42", 1, Some("a")),
            ("43", 1, Some("a")),
            ("42", 2, Some("a")),
            ("42", 1, None),
            ("42", 1, None),
        ] {
            store.push(event(user, time, id), &config);
        }
        assert_eq!(store.raw().len(), 6);
        let deduped: Vec<u64> = store.deduped().iter().map(|event| event.ingested).collect();
        assert_eq!(deduped, [2, 3, 4, 5, 6], "the latest copy is kept, and generated ids differ");
    }

    #[test]
    fn a_user_with_too_many_events_per_day_loses_the_rest() {
        let mut store = MixpanelStore::new(1);
        let mut config = Config::default();
        config.mixpanel.hot_shard_threshold = 2;
        for number in 0..3 {
            store.push(event("42", number, Some("a")), &config);
        }
        store.push(event("42", 86_400_000, Some("a")), &config);
        let names: Vec<_> = store.raw().into_iter().map(|event| (event.event, event.distinct_id)).collect();
        let event = |name: &str, user: &str| (name.to_owned(), user.to_owned());
        let play = event("play", "42");
        assert_eq!(names, [play.clone(), play.clone(), event("$hotshard_events", ""), play]);
    }
}
