//! A rule: the requests that it selects, when it applies to them, and the fault that it injects.

use serde::{Deserialize, Serialize};

use super::{Fault, Stage};
use crate::journal::Service;

/// A rule for fault injection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The name in the journal. If it is empty, the journal has the rule's index.
    #[serde(default)]
    pub name: String,
    /// The service whose requests the rule selects.
    pub service: Service,
    /// If given, the rule selects only requests to this path, such as `/import`.
    #[serde(default)]
    pub route: Option<String>,
    /// If not empty, the rule selects only requests with at least one of these events. An id is the
    /// `event_uid` of an event, or for Mixpanel also its `$insert_id`.
    #[serde(default)]
    pub events: Vec<String>,
    /// Which of the selected requests get the fault.
    #[serde(default)]
    pub when: When,
    /// Maximum number of requests that get the fault.
    #[serde(default)]
    pub times: Option<u64>,
    /// Whether the rule applies to events that already had an ambiguous fault.
    #[serde(default)]
    pub ambiguity: Ambiguity,
    /// Whether the events are stored before the fault.
    #[serde(default)]
    pub moment: Timing,
    /// The delay before the fault, in milliseconds.
    #[serde(default)]
    pub delay_millis: u64,
    pub fault: Fault,
}

impl Rule {
    /// A rule for every request to a service. The fault happens before anything is stored.
    pub fn new(service: Service, fault: Fault) -> Self {
        Self {
            name: String::new(),
            service,
            route: None,
            events: Vec::new(),
            when: When::Always,
            times: None,
            ambiguity: Ambiguity::Any,
            moment: Timing::BeforeStoring,
            delay_millis: 0,
            fault,
        }
    }

    /// Restricts the rule to requests to this path.
    pub fn route(self, route: &str) -> Self {
        Self { route: Some(route.to_owned()), ..self }
    }

    /// Restricts the rule to requests with at least one of these events.
    pub fn events<I: Into<String>>(self, events: impl IntoIterator<Item = I>) -> Self {
        Self { events: events.into_iter().map(Into::into).collect(), ..self }
    }

    /// Restricts the rule to some of the selected requests.
    pub fn when(self, when: When) -> Self {
        Self { when, ..self }
    }

    /// Limits the number of requests that get the fault.
    pub fn times(self, times: u64) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Exempts events that already had an ambiguous fault.
    pub fn one_ambiguous_per_event(self) -> Self {
        Self { ambiguity: Ambiguity::OncePerEvent, ..self }
    }

    /// Lets the service store the events before the fault, so that a retry creates duplicates.
    pub fn after_storing(self) -> Self {
        Self { moment: Timing::AfterStoring, ..self }
    }

    /// Delays the fault.
    pub fn delay_millis(self, delay_millis: u64) -> Self {
        Self { delay_millis, ..self }
    }

    /// Whether the client cannot know the outcome, may time out, or gets an error although the events were
    /// stored.
    pub(crate) fn is_ambiguous(&self) -> bool {
        let is_stored = self.moment == Timing::AfterStoring;
        let is_fault_ambiguous = match &self.fault {
            Fault::Break { .. } | Fault::Refuse { .. } | Fault::Drip { .. } => true,
            Fault::Answer(_) | Fault::ImportLie(_) => is_stored,
            Fault::FailRecords { .. } | Fault::Slow | Fault::CloseAfterAnswer | Fault::ResetOnReuse => false,
        };
        is_fault_ambiguous || self.delay_millis > 0
    }

    /// Whether the service processes the request despite the fault.
    pub(crate) fn is_processed(&self) -> bool {
        match self.fault {
            Fault::Answer(_) | Fault::ImportLie(_) | Fault::Break { .. } | Fault::Refuse { .. } => {
                self.moment == Timing::AfterStoring
            }
            Fault::FailRecords { .. }
            | Fault::Drip { .. }
            | Fault::Slow
            | Fault::CloseAfterAnswer
            | Fault::ResetOnReuse => true,
        }
    }

    pub(crate) fn validate(&self) -> Result<(), RuleError> {
        let stage = self.fault.stage();
        let needs_events = !self.events.is_empty()
            || self.moment == Timing::AfterStoring
            || self.ambiguity == Ambiguity::OncePerEvent;
        let is_import_only = self.fault.is_import_only();
        let is_when_valid = match &self.when {
            When::Always => true,
            When::Nth(numbers) => !numbers.contains(&0),
            When::EveryKth(k) => *k > 0,
            When::Chance(chance) => (0.0..=1.0).contains(chance),
            When::OverRate { per_second, .. } => *per_second > 0.0,
        };
        if stage == Stage::Arrival && self.route.is_some() {
            Err(RuleError::UnreadRoute)
        } else if stage != Stage::Complete && needs_events {
            Err(RuleError::UnreadEvents)
        } else if is_import_only && self.service != Service::Mixpanel {
            Err(RuleError::NotImport)
        } else if is_when_valid {
            Ok(())
        } else {
            Err(RuleError::InvalidWhen)
        }
    }
}

/// Which of the requests that a rule selects get the fault.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// All.
    #[default]
    Always,
    /// Those with these numbers, counted from 1.
    Nth(Vec<u64>),
    /// Every k-th request.
    EveryKth(u64),
    /// Each with this probability. The result depends on the seed, the rule, the events of the request and
    /// how often they were sent before. So it does not depend on the order of requests.
    Chance(f64),
    /// Those that exceed a rate limit, by a token bucket.
    OverRate {
        /// The capacity of the bucket, which is full at first.
        capacity: u32,
        /// The number of tokens that are added per second.
        per_second: f64,
    },
}

/// Whether a rule applies to events that already had an ambiguous fault.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ambiguity {
    /// It applies to them.
    #[default]
    Any,
    /// It does not apply to requests with such an event.
    OncePerEvent,
}

/// Whether the service stores the events before the fault.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timing {
    /// The service does not process the request.
    #[default]
    BeforeStoring,
    /// The service processes the request as usual first.
    AfterStoring,
}

/// Why a rule is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// The fault happens before the route is known.
    #[error("a fault before the request is read cannot depend on its route or events")]
    UnreadRoute,
    /// The fault happens before the events are known.
    #[error(
        "a fault before the body is read cannot depend on events or earlier faults, or come after storing"
    )]
    UnreadEvents,
    /// The fault applies only to `/import`.
    #[error("this fault applies only to Mixpanel's /import")]
    NotImport,
    /// The condition `when` is invalid.
    #[error("a chance must be from 0 to 1, a rate above 0, and a number at least 1")]
    InvalidWhen,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{BreakMode, ImportLie, Point};

    #[test]
    fn a_rule_must_not_depend_on_parts_that_are_not_read_yet() {
        let unread =
            || Rule::new(Service::Ga4, Fault::Break { at: Point::BeforeReading, how: BreakMode::Reset });
        let half = || Rule::new(Service::Ga4, Fault::Break { at: Point::HalfRead, how: BreakMode::Reset });
        assert_eq!(unread().validate(), Ok(()));
        assert_eq!(unread().route("/mp/collect").validate(), Err(RuleError::UnreadRoute));
        assert_eq!(half().route("/mp/collect").validate(), Ok(()));
        assert_eq!(half().events(["vpe-1"]).validate(), Err(RuleError::UnreadEvents));
        assert_eq!(half().after_storing().validate(), Err(RuleError::UnreadEvents));
        assert_eq!(half().when(When::Chance(1.5)).validate(), Err(RuleError::InvalidWhen));
        let lie = Fault::ImportLie(ImportLie::EmptyList);
        assert_eq!(Rule::new(Service::Ga4, lie).validate(), Err(RuleError::NotImport));
    }

    #[test]
    fn rules_can_be_written_in_json() {
        let json = r#"{"service":"mixpanel","route":"/import","when":{"nth":[2]},"times":1,"moment":"after_storing",
            "fault":{"break":{"at":"before_answer","how":"reset"}}}"#;
        let rule: Rule = serde_json::from_str(json).unwrap();
        let fault = Fault::Break { at: Point::BeforeAnswer, how: BreakMode::Reset };
        let built = Rule::new(Service::Mixpanel, fault)
            .route("/import")
            .when(When::Nth(vec![2]))
            .times(1)
            .after_storing();
        assert_eq!(rule, built);
        assert!(serde_json::from_str::<Rule>(r#"{"service":"ga4","fault":"slow","oops":1}"#).is_err());
    }
}
