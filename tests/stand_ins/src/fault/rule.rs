//! A rule: whom it looks at, when it strikes, and what happens then.

use serde::{Deserialize, Serialize};

use super::{Fault, Stage};
use crate::journal::Service;

/// When something goes wrong, and what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What the journal calls it; else its place in the list.
    #[serde(default)]
    pub name: String,
    /// Whose requests it looks at.
    pub service: Service,
    /// The only path it looks at, such as `/import`.
    #[serde(default)]
    pub route: Option<String>,
    /// The only events it looks at: requests that hold none of these ids are passed over. An id is the `event_uid` of
    /// an event, or in Mixpanel also its `$insert_id`.
    #[serde(default)]
    pub events: Vec<String>,
    /// Which of the requests it looks at are struck.
    #[serde(default)]
    pub when: When,
    /// How often it strikes at most.
    #[serde(default)]
    pub times: Option<u64>,
    /// Whether it may strike an event that suffered an ambiguous fault before.
    #[serde(default)]
    pub ambiguity: Ambiguity,
    /// Whether the events are stored before it strikes.
    #[serde(default)]
    pub moment: Moment,
    /// How long it waits first, in milliseconds.
    #[serde(default)]
    pub delay_millis: u64,
    /// What happens.
    pub fault: Fault,
}

impl Rule {
    /// A rule that strikes every request of a service before anything is stored.
    pub fn new(service: Service, fault: Fault) -> Self {
        Self {
            name: String::new(),
            service,
            route: None,
            events: Vec::new(),
            when: When::Always,
            times: None,
            ambiguity: Ambiguity::Any,
            moment: Moment::BeforeStoring,
            delay_millis: 0,
            fault,
        }
    }

    /// Only requests to this path.
    pub fn route(self, route: &str) -> Self {
        Self { route: Some(route.to_owned()), ..self }
    }

    /// Only requests with one of these events.
    pub fn events<I: Into<String>>(self, events: impl IntoIterator<Item = I>) -> Self {
        Self { events: events.into_iter().map(Into::into).collect(), ..self }
    }

    /// Only some of the requests.
    pub fn when(self, when: When) -> Self {
        Self { when, ..self }
    }

    /// At most so often.
    pub fn times(self, times: u64) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Never an event that suffered an ambiguous fault before.
    pub fn one_ambiguous_per_event(self) -> Self {
        Self { ambiguity: Ambiguity::OncePerEvent, ..self }
    }

    /// Only after the events are stored, which is how duplicates are made.
    pub fn after_storing(self) -> Self {
        Self { moment: Moment::AfterStoring, ..self }
    }

    /// Only after a wait.
    pub fn delay_millis(self, delay_millis: u64) -> Self {
        Self { delay_millis, ..self }
    }

    /// Whether the sender is left in doubt, may lose its patience, or is told of a failure where there was none.
    pub(crate) fn is_ambiguous(&self) -> bool {
        let stored = self.moment == Moment::AfterStoring;
        let by_fault = match &self.fault {
            Fault::Break { .. } | Fault::Refuse { .. } | Fault::Drip { .. } => true,
            Fault::Answer(_) | Fault::ImportLie(_) => stored,
            Fault::FailRecords { .. } | Fault::Slow | Fault::CloseAfterAnswer | Fault::ResetOnReuse => false,
        };
        by_fault || self.delay_millis > 0
    }

    /// Whether the service does its work although this strikes.
    pub(crate) fn lets_work(&self) -> bool {
        match self.fault {
            Fault::Answer(_) | Fault::ImportLie(_) | Fault::Break { .. } | Fault::Refuse { .. } => {
                self.moment == Moment::AfterStoring
            }
            Fault::FailRecords { .. }
            | Fault::Drip { .. }
            | Fault::Slow
            | Fault::CloseAfterAnswer
            | Fault::ResetOnReuse => true,
        }
    }

    pub(crate) fn check(&self) -> Result<(), BadRule> {
        let stage = self.fault.stage();
        let needs_events = !self.events.is_empty()
            || self.moment == Moment::AfterStoring
            || self.ambiguity == Ambiguity::OncePerEvent;
        let about_records = self.fault.is_about_records();
        let is_possible = match &self.when {
            When::Always => true,
            When::Nth(numbers) => !numbers.contains(&0),
            When::EveryKth(k) => *k > 0,
            When::Chance(chance) => (0.0..=1.0).contains(chance),
            When::OverRate { per_second, .. } => *per_second > 0.0,
        };
        if stage == Stage::Arrival && self.route.is_some() {
            Err(BadRule::UnreadRoute)
        } else if stage != Stage::Whole && needs_events {
            Err(BadRule::UnreadEvents)
        } else if about_records && self.service != Service::Mixpanel {
            Err(BadRule::NotImport)
        } else if is_possible {
            Ok(())
        } else {
            Err(BadRule::Impossible)
        }
    }
}

/// Which of the requests that a rule looks at are struck.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// All.
    #[default]
    Always,
    /// Those with these numbers; the first is 1.
    Nth(Vec<u64>),
    /// Each so-manieth.
    EveryKth(u64),
    /// Each with this probability. The draw depends on the seed, the rule, the events of the request and how often
    /// these came before, so that it is the same in whatever order requests arrive.
    Chance(f64),
    /// Those for which no token is left in a bucket, so that waiting helps.
    OverRate {
        /// How many tokens the bucket holds; it is full at first.
        capacity: u32,
        /// How many come back each second.
        per_second: f64,
    },
}

/// What a rule makes of events that suffered an ambiguous fault before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ambiguity {
    /// It strikes them as any.
    #[default]
    Any,
    /// It passes requests with one of them over.
    OncePerEvent,
}

/// Whether the service did its work before the fault.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// It did nothing.
    #[default]
    BeforeStoring,
    /// It judged and stored the events as always.
    AfterStoring,
}

/// Why a rule makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadRule {
    /// It wants to know what nobody has read yet.
    #[error("what strikes before the request is read can look neither at its route nor at its events")]
    UnreadRoute,
    /// It wants to know what nobody has read yet.
    #[error(
        "what strikes before the body is read can look at no events, nor store them, nor know their past"
    )]
    UnreadEvents,
    /// Only `/import` answers by record.
    #[error("only Mixpanel's /import answers record by record")]
    NotImport,
    /// No probability, no rate or no number.
    #[error("a chance is from 0 to 1, a rate is above 0, and numbers count from 1")]
    Impossible,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{How, ImportLie, Point};

    #[test]
    fn a_rule_that_wants_to_know_too_early_is_refused() {
        let unread = || Rule::new(Service::Ga4, Fault::Break { at: Point::BeforeReading, how: How::Reset });
        let half = || Rule::new(Service::Ga4, Fault::Break { at: Point::HalfRead, how: How::Reset });
        assert_eq!(unread().check(), Ok(()));
        assert_eq!(unread().route("/mp/collect").check(), Err(BadRule::UnreadRoute));
        assert_eq!(half().route("/mp/collect").check(), Ok(()));
        assert_eq!(half().events(["vpe-1"]).check(), Err(BadRule::UnreadEvents));
        assert_eq!(half().after_storing().check(), Err(BadRule::UnreadEvents));
        assert_eq!(half().when(When::Chance(1.5)).check(), Err(BadRule::Impossible));
        let lie = Fault::ImportLie(ImportLie::EmptyList);
        assert_eq!(Rule::new(Service::Ga4, lie).check(), Err(BadRule::NotImport));
    }

    #[test]
    fn rules_are_the_same_in_json() {
        let json = r#"{"service":"mixpanel","route":"/import","when":{"nth":[2]},"times":1,"moment":"after_storing",
            "fault":{"break":{"at":"before_answer","how":"reset"}}}"#;
        let rule: Rule = serde_json::from_str(json).unwrap();
        let fault = Fault::Break { at: Point::BeforeAnswer, how: How::Reset };
        let built = Rule::new(Service::Mixpanel, fault)
            .route("/import")
            .when(When::Nth(vec![2]))
            .times(1)
            .after_storing();
        assert_eq!(rule, built);
        assert!(serde_json::from_str::<Rule>(r#"{"service":"ga4","fault":"slow","oops":1}"#).is_err());
    }
}
