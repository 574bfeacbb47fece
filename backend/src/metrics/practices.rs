//! Practices: events of the learning platform, and recorded attendance.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::Labels;

/// Metrics of practices.
#[derive(Debug)]
pub struct Practices {
    events: Family<Labels<2>, Counter>,
    refused: Family<Labels<1>, Counter>,
    with_attendance: Counter,
    outcomes: Family<Labels<1>, Counter>,
}

impl Practices {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let practices = Self {
            events: Family::default(),
            refused: Family::default(),
            with_attendance: Counter::default(),
            outcomes: Family::default(),
        };
        let help = "Events of the learning platform, by kind and result";
        registry.register("platform_events", help, practices.events.clone());
        let help = "Refused events of the learning platform, by reason";
        registry.register("platform_events_refused", help, practices.refused.clone());
        let help = "Practices whose attendance was recorded";
        registry.register("attendance_practices", help, practices.with_attendance.clone());
        let help = "Reservations whose outcome was recorded, by outcome";
        registry.register("attendance_outcomes", help, practices.outcomes.clone());
        practices
    }

    /// Counts an event that is applied, or was applied before.
    pub fn applied(&self, kind: &'static str, duplicate: bool) {
        let result = if duplicate { "duplicate" } else { "applied" };
        self.events.get_or_create(&[("kind", kind), ("result", result)]).inc();
    }

    /// Counts an event that is refused for this reason.
    pub fn refused(&self, kind: &'static str, reason: &'static str) {
        self.events.get_or_create(&[("kind", kind), ("result", "refused")]).inc();
        self.refused.get_or_create(&[("reason", reason)]).inc();
    }

    /// Counts practices whose attendance was recorded.
    pub fn attendance_recorded(&self, practices: u64, attended: u64, cancelled: u64) {
        self.with_attendance.inc_by(practices);
        self.outcomes.get_or_create(&[("outcome", "attended")]).inc_by(attended);
        self.outcomes.get_or_create(&[("outcome", "cancelled")]).inc_by(cancelled);
    }
}
