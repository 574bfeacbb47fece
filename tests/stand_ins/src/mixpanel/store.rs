//! What Mixpanel keeps: every copy, and the view in which repetitions are one.

use std::collections::{BTreeMap, HashMap, VecDeque};

use chrono::{DateTime, NaiveDate, Utc};
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::config::{Config, Keep};
use crate::journal::keep_last;
use crate::verdict::Flag;

/// An event that is to be stored.
#[derive(Debug, Clone)]
pub(crate) struct NewEvent {
    pub project: String,
    pub event: String,
    pub distinct_id: String,
    pub time_millis: i64,
    /// `None` where Mixpanel has to make one.
    pub insert_id: Option<String>,
    pub event_uid: Option<String>,
    pub flags: Vec<Flag>,
    pub properties: Map<String, Value>,
}

/// An event in Mixpanel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredMixpanel {
    /// The how-manieth it was to be stored.
    pub ingested: u64,
    /// Its project's id.
    pub project: String,
    /// Its name.
    pub event: String,
    /// Its user.
    pub distinct_id: String,
    /// Its time in milliseconds.
    pub time_millis: i64,
    /// Its `$insert_id`, sent or made.
    pub insert_id: String,
    /// The `event_uid` among its properties.
    pub event_uid: Option<String>,
    /// What is special about it.
    pub flags: Vec<Flag>,
    /// Its properties.
    pub properties: Map<String, Value>,
}

/// What two copies of one event have in common. Source: "Event deduplication": the name, the user, the time and the
/// `$insert_id`, all four.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DedupKey {
    /// The project, which nothing crosses.
    pub project: String,
    /// The event's name.
    pub event: String,
    /// The user.
    pub distinct_id: String,
    /// The time in milliseconds.
    pub time_millis: i64,
    /// The `$insert_id`.
    pub insert_id: String,
}

impl StoredMixpanel {
    /// By what Mixpanel tells that two events are one.
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

/// All that Mixpanel keeps.
#[derive(Debug)]
pub(crate) struct MixpanelStore {
    events: VecDeque<StoredMixpanel>,
    ingested: u64,
    /// How many events each user of a project has on each day.
    per_user_and_day: HashMap<(String, String, NaiveDate), u64>,
    made_ids: ChaCha8Rng,
}

impl MixpanelStore {
    /// An empty one, whose own ids come from this seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            events: VecDeque::new(),
            ingested: 0,
            per_user_and_day: HashMap::new(),
            made_ids: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    pub(crate) fn push(&mut self, new: NewEvent, config: &Config) {
        self.ingested += 1;
        // A benchmark that keeps nothing must not fill the memory with users either.
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
        let insert_id = insert_id.unwrap_or_else(|| format!("made-{:016x}", self.made_ids.next_u64()));
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
        keep_last(&mut self.events, stored, config.stored);
    }

    /// Every copy, in the order in which they came.
    pub(crate) fn raw(&self) -> Vec<StoredMixpanel> {
        self.events.iter().cloned().collect()
    }

    /// What reports show: of each event the copy that came last.
    pub(crate) fn deduped(&self) -> Vec<StoredMixpanel> {
        let latest: BTreeMap<DedupKey, &StoredMixpanel> =
            self.events.iter().map(|event| (event.dedup_key(), event)).collect();
        let mut events: Vec<_> = latest.into_values().cloned().collect();
        events.sort_by_key(|event| event.ingested);
        events
    }

    /// Whether this user had as many events on that day as one part of the database bears, and counts one more.
    fn is_hot(&mut self, project: &str, distinct_id: &str, time_millis: i64, threshold: u64) -> bool {
        // Events without a user are spread.
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
    fn copies_are_one_only_where_all_four_parts_agree() {
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
        assert_eq!(deduped, [2, 3, 4, 5, 6], "the latest copy is shown, and made ids are no copies");
    }

    #[test]
    fn a_user_with_too_many_events_a_day_loses_them() {
        let mut store = MixpanelStore::new(1);
        let mut config = Config::default();
        config.mixpanel.hot_shard_threshold = 2;
        for number in 0..3 {
            store.push(event("42", number, Some("a")), &config);
        }
        store.push(event("42", 86_400_000, Some("a")), &config);
        let names: Vec<_> = store.raw().into_iter().map(|event| (event.event, event.distinct_id)).collect();
        let pair = |name: &str, user: &str| (name.to_owned(), user.to_owned());
        let play = pair("play", "42");
        assert_eq!(names, [play.clone(), play.clone(), pair("$hotshard_events", ""), play]);
    }
}
