//! Player events coming in: what became of them, and how they were recorded.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::{Labels, of_a_request};

/// Player events coming in.
#[derive(Debug)]
pub struct Ingest {
    recorded: Counter,
    duplicate: Counter,
    events: Family<Labels<2>, Counter>,
    group: Histogram,
    commit: Histogram,
}

impl Ingest {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let events = Family::default();
        registry.register(
            "ingest_events",
            "Player events that were sent in, by what became of them, and the rule that those break that were refused",
            Family::clone(&events),
        );
        let group = Histogram::new([1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0]);
        let help = "Player events that were recorded by one statement";
        registry.register("ingest_group_events", help, group.clone());
        let commit = of_a_request();
        let help = "How long it took to record a group of player events and commit it";
        registry.register_with_unit("ingest_commit_duration", help, Unit::Seconds, commit.clone());
        let counter = |result| events.get_or_create_owned(&labels(result, ""));
        Self { recorded: counter("recorded"), duplicate: counter("duplicate"), events, group, commit }
    }

    /// So many events were recorded.
    pub fn recorded(&self, events: u64) {
        self.recorded.inc_by(events);
    }

    /// So many events were recorded before.
    pub fn duplicate(&self, events: u64) {
        self.duplicate.inc_by(events);
    }

    /// So many events were refused, by the rule of this name.
    pub fn refused(&self, rule: &'static str, events: u64) {
        self.events.get_or_create(&labels("refused", rule)).inc_by(events);
    }

    /// A group of so many events went to the database, which took so long.
    #[expect(clippy::cast_precision_loss, reason = "a group has a few thousand events at most")]
    pub fn group(&self, events: usize, took: Duration) {
        self.group.observe(events as f64);
        self.commit.observe(took.as_secs_f64());
    }
}

/// A label without a value is none.
const fn labels(result: &'static str, reason: &'static str) -> Labels<2> {
    [("result", result), ("reason", reason)]
}
