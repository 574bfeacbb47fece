//! Finds the rule that applies to a request. All randomness comes from the seed.

use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::trigger::TriggerState;
use super::{Ambiguity, Rule, RuleError, Stage, When};
use crate::journal::{InjectedFault, Service};
use crate::mixpanel::IMPORT;

/// The rules and their state.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    seed: u64,
    rules: Vec<TrackedRule>,
    /// The ids of the events that had an ambiguous fault.
    in_doubt: HashSet<String>,
}

/// A rule that applies to a request.
#[derive(Debug, Clone)]
pub(crate) struct MatchedRule {
    pub rule: Arc<Rule>,
    /// The rule's index in the list.
    index: usize,
}

impl MatchedRule {
    /// The fault as it is recorded in the journal.
    pub(crate) fn injected_fault(&self) -> InjectedFault {
        let Self { rule, index } = self;
        let name = if rule.name.is_empty() { format!("#{index}") } else { rule.name.clone() };
        InjectedFault { rule: name, fault: rule.fault.clone() }
    }
}

/// A rule with its counts, as `GET /__faults` returns it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuleState {
    pub rule: Rule,
    /// The number of requests that it selected.
    pub seen: u64,
    /// The number of requests that it injected its fault into.
    pub struck: u64,
}

#[derive(Debug)]
struct TrackedRule {
    rule: Arc<Rule>,
    seen: u64,
    struck: u64,
    trigger: TriggerState,
}

/// The known facts about a request at a stage.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestView<'a> {
    pub service: Service,
    pub stage: Stage,
    pub route: &'a str,
    pub uids: &'a [String],
}

impl Plan {
    /// Replaces the rules and resets their state.
    pub(crate) fn set_rules(&mut self, rules: Vec<Rule>) -> Result<(), RuleError> {
        rules.iter().try_for_each(Rule::validate)?;
        let tracked =
            |rule| TrackedRule { rule: Arc::new(rule), seen: 0, struck: 0, trigger: TriggerState::default() };
        self.rules = rules.into_iter().map(tracked).collect();
        self.in_doubt.clear();
        Ok(())
    }

    pub(crate) fn set_seed(&mut self, seed: u64) {
        self.seed = seed;
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    pub(crate) fn states(&self) -> Vec<RuleState> {
        let state = |TrackedRule { rule, seen, struck, .. }: &TrackedRule| RuleState {
            rule: Rule::clone(rule),
            seen: *seen,
            struck: *struck,
        };
        self.rules.iter().map(state).collect()
    }

    /// The rule that applies to this request at this stage. Each rule counts the requests that it selects,
    /// even if an earlier rule applies.
    pub(crate) fn match_request(&mut self, request: RequestView<'_>) -> Option<MatchedRule> {
        let Self { seed, rules, in_doubt } = self;
        let mut found = None;
        for (index, TrackedRule { rule, seen, struck, trigger }) in rules.iter_mut().enumerate() {
            if !selects(rule, request) {
                continue;
            }
            *seen += 1;
            // A request to which an earlier rule applies takes no token.
            let fires = match rule.when {
                When::OverRate { .. } if found.is_some() => false,
                _ => trigger.fires(&rule.when, *seen, (*seed, index, request.uids)),
            };
            let is_exhausted = rule.times.is_some_and(|times| *struck >= times);
            let is_exempt = rule.ambiguity == Ambiguity::OncePerEvent
                && rule.is_ambiguous()
                && request.uids.iter().any(|uid| in_doubt.contains(uid));
            if fires && found.is_none() && !is_exhausted && !is_exempt {
                *struck += 1;
                found = Some(MatchedRule { rule: Arc::clone(rule), index });
            }
        }
        let matched = found?;
        if matched.rule.is_ambiguous() {
            in_doubt.extend(request.uids.iter().cloned());
        }
        Some(matched)
    }
}

fn selects(rule: &Rule, request: RequestView<'_>) -> bool {
    let is_import = request.route == IMPORT;
    rule.service == request.service
        && (is_import || !rule.fault.is_import_only())
        && rule.fault.stage() == request.stage
        && rule.route.as_deref().is_none_or(|route| route == request.route)
        && (rule.events.is_empty() || request.uids.iter().any(|uid| rule.events.contains(uid)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::fault::{Answer, BreakMode, Fault, Point};

    fn unavailable() -> Rule {
        Rule::new(Service::Ga4, Fault::Answer(Answer::empty(503)))
    }

    fn plan(rules: Vec<Rule>) -> Plan {
        let mut plan = Plan::default();
        plan.set_rules(rules).unwrap();
        plan
    }

    /// The name of the rule that applies to a request with this event.
    fn matched_rule(plan: &mut Plan, uid: &str) -> Option<String> {
        let uids = [uid.to_owned()];
        let request =
            RequestView { service: Service::Ga4, stage: Stage::Complete, route: "/mp/collect", uids: &uids };
        plan.match_request(request).map(|matched| matched.injected_fault().rule)
    }

    fn hits(rule: Rule, requests: usize) -> Vec<bool> {
        let mut plan = plan(vec![rule]);
        (0..requests).map(|_| matched_rule(&mut plan, "a").is_some()).collect()
    }

    #[test]
    fn requests_are_selected_by_number() {
        assert_eq!(hits(unavailable().when(When::Nth(vec![2, 4])), 5), [false, true, false, true, false]);
        assert_eq!(hits(unavailable().when(When::EveryKth(2)), 4), [false, true, false, true]);
        assert_eq!(hits(unavailable().times(2), 4), [true, true, false, false]);
    }

    #[test]
    fn requests_are_selected_by_route_and_event() {
        let mut plan = plan(vec![unavailable().route("/import"), unavailable().events(["b", "c"])]);
        assert_eq!(matched_rule(&mut plan, "a"), None);
        assert_eq!(matched_rule(&mut plan, "b").as_deref(), Some("#1"));
        assert_eq!(plan.states()[0].seen, 0);
    }

    #[test]
    fn rules_that_apply_once_follow_one_another() {
        let mut plan = plan(vec![unavailable().times(1), unavailable().times(1)]);
        let order: Vec<_> = (0..3).map(|_| matched_rule(&mut plan, "a")).collect();
        assert_eq!(order, [Some("#0".to_owned()), Some("#1".to_owned()), None]);
    }

    #[test]
    fn the_same_seed_selects_the_same_events_in_any_order() {
        let hits_by_uid = |seed: u64, uids: &[u32]| {
            let mut plan = plan(vec![unavailable().when(When::Chance(0.5))]);
            plan.set_seed(seed);
            let mut hits: Vec<_> =
                uids.iter().map(|uid| (*uid, matched_rule(&mut plan, &uid.to_string()).is_some())).collect();
            hits.sort_unstable();
            hits
        };
        let forwards: Vec<u32> = (0..200).chain(0..200).collect();
        let backwards: Vec<u32> = forwards.iter().rev().copied().collect();
        let hits = hits_by_uid(7, &forwards).iter().filter(|(_, hit)| *hit).count();
        assert_eq!(hits_by_uid(7, &forwards), hits_by_uid(7, &backwards));
        assert_ne!(hits_by_uid(7, &forwards), hits_by_uid(8, &forwards));
        assert!((120..280).contains(&hits), "{hits} of 400");
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_bucket_refills() {
        let mut plan = plan(vec![unavailable().when(When::OverRate { capacity: 2, per_second: 1.0 })]);
        let hits: Vec<_> = (0..3).map(|_| matched_rule(&mut plan, "a").is_some()).collect();
        assert_eq!(hits, [false, false, true]);
        tokio::time::advance(Duration::from_secs(1)).await;
        let hits: Vec<_> = (0..2).map(|_| matched_rule(&mut plan, "a").is_some()).collect();
        assert_eq!(hits, [false, true]);
    }

    #[test]
    fn an_event_in_doubt_is_exempt_if_the_rule_says_so() {
        let reset = Fault::Break { at: Point::BeforeAnswer, how: BreakMode::Reset };
        let mut plan = plan(vec![Rule::new(Service::Ga4, reset).one_ambiguous_per_event()]);
        let order: Vec<_> =
            ["a", "a", "b"].iter().map(|uid| matched_rule(&mut plan, uid).is_some()).collect();
        assert_eq!(order, [true, false, true]);
    }

    #[test]
    fn a_failure_after_storing_or_with_a_delay_leaves_an_event_in_doubt() {
        let unavailable = || unavailable().one_ambiguous_per_event();
        assert_eq!(hits(unavailable().after_storing(), 2), [true, false]);
        assert_eq!(hits(unavailable(), 2), [true, true]);
        assert_eq!(hits(unavailable().delay_millis(1), 2), [true, false], "the client may time out");
    }
}
