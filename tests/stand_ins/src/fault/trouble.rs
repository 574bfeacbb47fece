//! A mild mix of faults for watching: most requests go well, and all that goes wrong can be made good.

use super::{Answer, Fault, How, Point, RetryAfter, Rule, When};
use crate::journal::Service;

/// The mix. What it strikes depends on the seed alone.
pub fn trouble() -> Vec<Rule> {
    [Service::Ga4, Service::Mixpanel].into_iter().flat_map(of).collect()
}

fn of(service: Service) -> Vec<Rule> {
    let rule = |name: &str, chance, fault| {
        let rule = Rule::new(service, fault).when(When::Chance(chance));
        Rule { name: name.to_owned(), ..rule }
    };
    let lost_answer = Fault::Break { at: Point::BeforeAnswer, how: How::Reset };
    let mut rules = vec![
        rule("bad gateway", 0.03, Fault::Answer(Answer::html(502))),
        rule("answer lost", 0.01, lost_answer).after_storing().one_ambiguous_per_event(),
        rule("slow", 0.05, Fault::Slow).delay_millis(700),
    ];
    match service {
        // Google documents no limit that answers 429.
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
    fn every_rule_of_the_mix_makes_sense() {
        assert!(trouble().iter().all(|rule| rule.check().is_ok()));
    }
}
