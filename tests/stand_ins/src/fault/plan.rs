//! Which rule strikes a request. All chance comes from the seed.

use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::turn::Turns;
use super::{Ambiguity, BadRule, Rule, Stage, When};
use crate::journal::{Service, Struck};
use crate::mixpanel::IMPORT;

/// The rules and what they have seen.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    seed: u64,
    rules: Vec<Watched>,
    /// The events that suffered an ambiguous fault.
    in_doubt: HashSet<String>,
}

/// A rule that strikes.
#[derive(Debug, Clone)]
pub(crate) struct Strike {
    pub rule: Arc<Rule>,
    /// The rule's place in the list.
    place: usize,
}

impl Strike {
    /// As the journal tells it.
    pub(crate) fn struck(&self) -> Struck {
        let Self { rule, place } = self;
        let name = if rule.name.is_empty() { format!("#{place}") } else { rule.name.clone() };
        Struck { rule: name, fault: rule.fault.clone() }
    }
}

/// A rule and how often it struck, as `GET /__faults` tells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuleState {
    /// The rule.
    pub rule: Rule,
    /// How many requests it looked at.
    pub seen: u64,
    /// How many of them it struck.
    pub struck: u64,
}

#[derive(Debug)]
struct Watched {
    rule: Arc<Rule>,
    seen: u64,
    struck: u64,
    turns: Turns,
}

/// A request, as far as it is known at a stage.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sight<'a> {
    pub service: Service,
    pub stage: Stage,
    pub route: &'a str,
    pub uids: &'a [String],
}

impl Plan {
    /// Takes other rules, which have seen nothing yet.
    pub(crate) fn set_rules(&mut self, rules: Vec<Rule>) -> Result<(), BadRule> {
        rules.iter().try_for_each(Rule::check)?;
        let watched = |rule| Watched { rule: Arc::new(rule), seen: 0, struck: 0, turns: Turns::default() };
        self.rules = rules.into_iter().map(watched).collect();
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
        let state = |Watched { rule, seen, struck, .. }: &Watched| RuleState {
            rule: Rule::clone(rule),
            seen: *seen,
            struck: *struck,
        };
        self.rules.iter().map(state).collect()
    }

    /// The rule that strikes this request at this stage. Each rule counts the requests it looks at, whether or not one
    /// before it strikes.
    pub(crate) fn strike(&mut self, sight: Sight<'_>) -> Option<Strike> {
        let Self { seed, rules, in_doubt } = self;
        let mut found = None;
        for (place, Watched { rule, seen, struck, turns }) in rules.iter_mut().enumerate() {
            if !looks_at(rule, sight) {
                continue;
            }
            *seen += 1;
            // A request that another rule answers takes no token.
            let is_its_turn = match rule.when {
                When::OverRate { .. } if found.is_some() => false,
                _ => turns.is_next(&rule.when, *seen, (*seed, place, sight.uids)),
            };
            let is_used_up = rule.times.is_some_and(|times| *struck >= times);
            let is_spared = rule.ambiguity == Ambiguity::OncePerEvent
                && rule.is_ambiguous()
                && sight.uids.iter().any(|uid| in_doubt.contains(uid));
            if is_its_turn && found.is_none() && !is_used_up && !is_spared {
                *struck += 1;
                found = Some(Strike { rule: Arc::clone(rule), place });
            }
        }
        let strike = found?;
        if strike.rule.is_ambiguous() {
            in_doubt.extend(sight.uids.iter().cloned());
        }
        Some(strike)
    }
}

fn looks_at(rule: &Rule, sight: Sight<'_>) -> bool {
    let is_import = sight.route == IMPORT;
    rule.service == sight.service
        && (is_import || !rule.fault.is_about_records())
        && rule.fault.stage() == sight.stage
        && rule.route.as_deref().is_none_or(|route| route == sight.route)
        && (rule.events.is_empty() || sight.uids.iter().any(|uid| rule.events.contains(uid)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::fault::{Answer, Fault, How, Point};

    fn unavailable() -> Rule {
        Rule::new(Service::Ga4, Fault::Answer(Answer::empty(503)))
    }

    fn plan(rules: Vec<Rule>) -> Plan {
        let mut plan = Plan::default();
        plan.set_rules(rules).unwrap();
        plan
    }

    /// The name of the rule that strikes a request with this event.
    fn struck(plan: &mut Plan, uid: &str) -> Option<String> {
        let uids = [uid.to_owned()];
        let sight = Sight { service: Service::Ga4, stage: Stage::Whole, route: "/mp/collect", uids: &uids };
        plan.strike(sight).map(|strike| strike.struck().rule)
    }

    fn hits(rule: Rule, requests: usize) -> Vec<bool> {
        let mut plan = plan(vec![rule]);
        (0..requests).map(|_| struck(&mut plan, "a").is_some()).collect()
    }

    #[test]
    fn requests_are_struck_by_number() {
        assert_eq!(hits(unavailable().when(When::Nth(vec![2, 4])), 5), [false, true, false, true, false]);
        assert_eq!(hits(unavailable().when(When::EveryKth(2)), 4), [false, true, false, true]);
        assert_eq!(hits(unavailable().times(2), 4), [true, true, false, false]);
    }

    #[test]
    fn requests_are_struck_by_route_and_event() {
        let mut plan = plan(vec![unavailable().route("/import"), unavailable().events(["b", "c"])]);
        assert_eq!(struck(&mut plan, "a"), None);
        assert_eq!(struck(&mut plan, "b").as_deref(), Some("#1"));
        assert_eq!(plan.states()[0].seen, 0);
    }

    #[test]
    fn rules_that_strike_once_make_a_queue() {
        let mut plan = plan(vec![unavailable().times(1), unavailable().times(1)]);
        let order: Vec<_> = (0..3).map(|_| struck(&mut plan, "a")).collect();
        assert_eq!(order, [Some("#0".to_owned()), Some("#1".to_owned()), None]);
    }

    #[test]
    fn the_same_seed_strikes_the_same_events_in_any_order() {
        let fates = |seed: u64, uids: &[u32]| {
            let mut plan = plan(vec![unavailable().when(When::Chance(0.5))]);
            plan.set_seed(seed);
            let mut fates: Vec<_> =
                uids.iter().map(|uid| (*uid, struck(&mut plan, &uid.to_string()).is_some())).collect();
            fates.sort_unstable();
            fates
        };
        let forwards: Vec<u32> = (0..200).chain(0..200).collect();
        let backwards: Vec<u32> = forwards.iter().rev().copied().collect();
        let hits = fates(7, &forwards).iter().filter(|(_, hit)| *hit).count();
        assert_eq!(fates(7, &forwards), fates(7, &backwards));
        assert_ne!(fates(7, &forwards), fates(8, &forwards));
        assert!((120..280).contains(&hits), "{hits} of 400");
    }

    #[tokio::test(start_paused = true)]
    async fn a_bucket_fills_again() {
        let mut plan = plan(vec![unavailable().when(When::OverRate { capacity: 2, per_second: 1.0 })]);
        let hits: Vec<_> = (0..3).map(|_| struck(&mut plan, "a").is_some()).collect();
        assert_eq!(hits, [false, false, true]);
        tokio::time::advance(Duration::from_secs(1)).await;
        let hits: Vec<_> = (0..2).map(|_| struck(&mut plan, "a").is_some()).collect();
        assert_eq!(hits, [false, true]);
    }

    #[test]
    fn an_event_in_doubt_is_spared_where_the_rule_says_so() {
        let reset = Fault::Break { at: Point::BeforeAnswer, how: How::Reset };
        let mut plan = plan(vec![Rule::new(Service::Ga4, reset).one_ambiguous_per_event()]);
        let order: Vec<_> = ["a", "a", "b"].iter().map(|uid| struck(&mut plan, uid).is_some()).collect();
        assert_eq!(order, [true, false, true]);
    }

    #[test]
    fn what_was_stored_and_called_a_failure_leaves_an_event_in_doubt() {
        let unavailable = || unavailable().one_ambiguous_per_event();
        assert_eq!(hits(unavailable().after_storing(), 2), [true, false]);
        assert_eq!(hits(unavailable(), 2), [true, true]);
        assert_eq!(hits(unavailable().delay_millis(1), 2), [true, false], "the client may not wait so long");
    }
}
