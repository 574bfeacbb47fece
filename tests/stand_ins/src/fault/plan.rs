//! Which rule strikes a request. All chance comes from the seed.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{Ambiguity, BadRule, Rule, Stage, When};
use crate::journal::{Service, Struck};

/// The rules and what they have seen.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    seed: u64,
    rules: Vec<Watch>,
    /// The events that suffered an ambiguous fault.
    in_doubt: HashSet<String>,
}

/// A rule that strikes.
#[derive(Debug, Clone)]
pub(crate) struct Strike {
    pub rule: Rule,
    pub struck: Struck,
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
struct Watch {
    state: RuleState,
    bucket: Option<Bucket>,
    /// How often each draw was made before.
    draws: HashMap<u64, u64>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: Instant,
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
        let watch = |rule| Watch {
            state: RuleState { rule, seen: 0, struck: 0 },
            bucket: None,
            draws: HashMap::new(),
        };
        self.rules = rules.into_iter().map(watch).collect();
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
        self.rules.iter().map(|watch| watch.state.clone()).collect()
    }

    /// The rule that strikes this request at this stage. Each rule counts the requests it looks at, whether or not one
    /// before it strikes.
    pub(crate) fn strike(&mut self, sight: Sight<'_>) -> Option<Strike> {
        let Self { seed, rules, in_doubt } = self;
        let mut found = None;
        for (place, watch) in rules.iter_mut().enumerate() {
            if !looks_at(&watch.state.rule, sight) {
                continue;
            }
            let is_its_turn = watch.is_its_turn(*seed, place, sight.uids, found.is_none());
            let rule = &watch.state.rule;
            let is_used_up = rule.times.is_some_and(|times| watch.state.struck >= times);
            let is_spared = rule.ambiguity == Ambiguity::OncePerEvent
                && rule.is_ambiguous()
                && sight.uids.iter().any(|uid| in_doubt.contains(uid));
            if is_its_turn && found.is_none() && !is_used_up && !is_spared {
                watch.state.struck += 1;
                found = Some(place);
            }
        }
        let place = found?;
        let rule = self.rules[place].state.rule.clone();
        if rule.is_ambiguous() {
            self.in_doubt.extend(sight.uids.iter().cloned());
        }
        let name = if rule.name.is_empty() { format!("#{place}") } else { rule.name.clone() };
        let struck = Struck { rule: name, fault: rule.fault.clone() };
        Some(Strike { rule, struck })
    }
}

fn looks_at(rule: &Rule, sight: Sight<'_>) -> bool {
    rule.service == sight.service
        && rule.fault.stage() == sight.stage
        && rule.route.as_deref().is_none_or(|route| route == sight.route)
        && (rule.events.is_empty() || sight.uids.iter().any(|uid| rule.events.contains(uid)))
}

impl Watch {
    /// Counts a request and says whether it is one of those to be struck.
    fn is_its_turn(&mut self, seed: u64, place: usize, uids: &[String], may_strike: bool) -> bool {
        self.state.seen += 1;
        let seen = self.state.seen;
        match &self.state.rule.when {
            When::Always => true,
            When::Nth(numbers) => numbers.contains(&seen),
            When::EveryKth(k) => seen.is_multiple_of(*k),
            When::Chance(chance) => {
                let mut hasher = DefaultHasher::new();
                (seed, place, uids).hash(&mut hasher);
                let hash = hasher.finish();
                let draw = self.draws.entry(hash).or_default();
                let mut random = ChaCha8Rng::seed_from_u64(hash);
                random.set_stream(*draw);
                *draw += 1;
                random.random_bool(*chance)
            }
            // A request that another rule answers takes no token.
            When::OverRate { .. } if !may_strike => false,
            When::OverRate { capacity, per_second } => {
                let (capacity, now) = (f64::from(*capacity), Instant::now());
                let bucket = self.bucket.get_or_insert(Bucket { tokens: capacity, filled: now });
                let gained = now.duration_since(bucket.filled).as_secs_f64() * per_second;
                bucket.tokens = (bucket.tokens + gained).min(capacity);
                bucket.filled = now;
                let is_over = bucket.tokens < 1.0;
                if !is_over {
                    bucket.tokens -= 1.0;
                }
                is_over
            }
        }
    }
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
        plan.strike(sight).map(|strike| strike.struck.rule)
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
}
