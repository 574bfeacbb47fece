//! Ingest of player events: the result of each event, and the size and duration of the writes.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::{Labels, request_histogram};

/// Metrics of the ingest of player events.
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
            "Player events received, by result, and for refused events by reason",
            Family::clone(&events),
        );
        let group = Histogram::new([1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0]);
        let help = "Player events recorded by one statement";
        registry.register("ingest_group_events", help, group.clone());
        let commit = request_histogram();
        let help = "Time to record and commit a group of player events";
        registry.register_with_unit("ingest_commit_duration", help, Unit::Seconds, commit.clone());
        let counter = |result| events.get_or_create_owned(&labels(result, ""));
        Self { recorded: counter("recorded"), duplicate: counter("duplicate"), events, group, commit }
    }

    /// Counts recorded events.
    pub fn recorded(&self, events: u64) {
        self.recorded.inc_by(events);
    }

    /// Counts events that were already recorded.
    pub fn duplicate(&self, events: u64) {
        self.duplicate.inc_by(events);
    }

    /// Counts events that were refused for this reason.
    pub fn refused(&self, reason: &'static str, events: u64) {
        self.events.get_or_create(&labels("refused", reason)).inc_by(events);
    }

    /// Counts a group of events that was recorded in one transaction.
    #[expect(clippy::cast_precision_loss, reason = "a group has a few thousand events at most")]
    pub fn group_committed(&self, events: usize, took: Duration) {
        self.group.observe(events as f64);
        self.commit.observe(took.as_secs_f64());
    }
}

/// An empty label value is the same as no label.
const fn labels(result: &'static str, reason: &'static str) -> Labels<2> {
    [("result", result), ("reason", reason)]
}
