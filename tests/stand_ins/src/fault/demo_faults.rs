//! Random faults for a demonstration: most requests succeed, and retries recover from all failures.

use super::{Answer, BreakMode, Fault, Point, RetryAfter, Rule, When};
use crate::journal::Service;

/// The rules. Which requests fail depends only on the seed.
pub fn demo_faults() -> Vec<Rule> {
    [Service::Ga4, Service::Mixpanel].into_iter().flat_map(rules).collect()
}

fn rules(service: Service) -> Vec<Rule> {
    let rule = |name: &str, chance, fault| {
        let rule = Rule::new(service, fault).when(When::Chance(chance));
        Rule { name: name.to_owned(), ..rule }
    };
    let lost_response = Fault::Break { at: Point::BeforeAnswer, how: BreakMode::Reset };
    let mut rules = vec![
        rule("bad gateway", 0.03, Fault::Answer(Answer::html(502))),
        rule("response lost", 0.01, lost_response).after_storing().one_ambiguous_per_event(),
        rule("slow", 0.05, Fault::Slow).delay_millis(700),
    ];
    match service {
        // Google does not document any limit with a 429.
        Service::Ga4 => rules.push(rule("unavailable", 0.03, Fault::Answer(Answer::html(503)))),
        Service::Mixpanel => {
            let limit = Answer::too_many_requests().retry_after(RetryAfter::Seconds(2));
            rules.push(rule("unavailable", 0.03, Fault::Answer(Answer::upstream_unavailable())));
            rules.push(rule("too many requests", 0.05, Fault::Answer(limit)));
        }
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_valid() {
        assert!(demo_faults().iter().all(|rule| rule.validate().is_ok()));
    }
}
