//! The faults of a round as rules of the stand-ins: a random selection, each with a random probability.

use rand::Rng as _;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use stand_ins::Service;
use stand_ins::fault::{Answer, AnswerBody, BreakMode, Fault, ImportLie, Point, RetryAfter, Rule, When};

use super::model::{ClientIds, MixpanelEndpoint, Model};
use crate::sync::actions::uid;

/// The number of transient faults at each service in a round.
const FAULTS_PER_SERVICE: u8 = 6;

/// The kind of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// The first round. Nothing was sent yet, so that requests are full.
    First,
    /// A round with more faults. If the program will be killed, some requests hang.
    Faulty { ends_with_kill: bool },
    /// The services work again.
    Healthy,
}

/// The rules of a round.
pub fn rules(model: &Model, round: Round, rng: &mut ChaCha8Rng) -> Vec<Rule> {
    // Permanent refusals come first. After a fault that stores events, the refused ones would be stored.
    let mut rules = refusals(model);
    if round == Round::Healthy {
        return rules;
    }
    // For example, a proxy that responds instead of the service.
    if matches!(round, Round::Faulty { .. }) && rng.random_bool(0.25) {
        let service = *[Service::Ga4, Service::Mixpanel].choose(rng).unwrap();
        rules.push(Rule::new(service, Fault::Answer(Answer::html(400))));
    }
    if round == Round::First {
        rules.extend(misleading_answers(model.endpoint, rng));
    }
    for service in [Service::Ga4, Service::Mixpanel] {
        let mut kinds = transient_faults(service);
        kinds.shuffle(rng);
        let max_chance = 2.0 * fault_rate(service, model) / f64::from(FAULTS_PER_SERVICE);
        for kind in kinds.into_iter().take(FAULTS_PER_SERVICE.into()) {
            let has_no_condition = kind.when == When::Always;
            let chance = When::Chance(rng.random_range(0.0..max_chance));
            rules.push(if has_no_condition { kind.when(chance) } else { kind });
        }
    }
    if round == (Round::Faulty { ends_with_kill: true }) {
        let hangs = [Point::BeforeAnswer, Point::MidHead, Point::AfterHead];
        let hang = |service, at| {
            Rule::new(service, Fault::Break { at, how: BreakMode::Hang }).after_storing().times(2)
        };
        rules.push(hang(Service::Ga4, *hangs.choose(rng).unwrap()).when(When::EveryKth(9)));
        rules.push(hang(Service::Mixpanel, *hangs.choose(rng).unwrap()).when(When::EveryKth(2)));
    }
    rules
}

/// The share of a service's requests that fail. It is higher for services that get fewer requests.
const fn fault_rate(service: Service, model: &Model) -> f64 {
    match (service, model.client_ids, model.endpoint) {
        (Service::Ga4, ClientIds::PerEvent, _) => 0.1,
        (Service::Ga4, ClientIds::PerViewer, _) => 0.2,
        (Service::Mixpanel, _, MixpanelEndpoint::Track) => 0.3,
        (Service::Mixpanel, _, MixpanelEndpoint::Import) => 0.6,
    }
}

/// Rules that refuse certain events at every attempt.
fn refusals(model: &Model) -> Vec<Rule> {
    let refusing =
        |service, answer, events: Vec<String>| Rule::new(service, Fault::Answer(answer)).events(events);
    let halves = |events: &std::collections::BTreeSet<i64>| {
        let (even, odd): (Vec<i64>, Vec<i64>) = events.iter().partition(|event| *event % 2 == 0);
        [even, odd].map(|half| half.into_iter().map(uid).collect::<Vec<_>>())
    };
    let [too_large, bad] = halves(&model.refused_by_ga4);
    let mut rules = vec![
        refusing(Service::Ga4, Answer::html(413), too_large),
        refusing(Service::Ga4, Answer::json(400, json!({"error": "bad request"})), bad),
    ];
    // `/import` itself refuses events too far in the future.
    if model.endpoint == MixpanelEndpoint::Track {
        let [too_large, bad] = halves(&model.refused_by_mixpanel);
        rules.push(refusing(Service::Mixpanel, Answer::too_large(), too_large));
        rules.push(refusing(Service::Mixpanel, Answer::json(200, json!({"status": 0, "error": "bad"})), bad));
    }
    // A rule without events would apply to every request.
    rules.retain(|rule| !rule.events.is_empty());
    rules
}

/// Responses that wrongly reject a whole request. The driver then splits the request in halves, down to
/// single events. The events here are valid, so no split may reach a single event. Therefore the rules only
/// apply to one of the first requests, which are full.
fn misleading_answers(endpoint: MixpanelEndpoint, rng: &mut ChaCha8Rng) -> Vec<Rule> {
    let misleading_answers = match endpoint {
        MixpanelEndpoint::Import => vec![
            Fault::ImportLie(ImportLie::EmptyList),
            Fault::ImportLie(ImportLie::NoList),
            Fault::ImportLie(ImportLie::WrongCount),
            Fault::ImportLie(ImportLie::IndexOutOfRange),
            Fault::ImportLie(ImportLie::DuplicateIndex),
            Fault::ImportLie(ImportLie::TruncatedJson),
            Fault::ImportLie(ImportLie::FewerImported),
            Fault::Answer(Answer::html(413)),
        ],
        MixpanelEndpoint::Track => vec![
            Fault::Answer(Answer::plain(200, "0")),
            Fault::Answer(Answer::html(413)),
            Fault::Answer(Answer::plain(400, "bad request")),
        ],
    };
    let chosen: Vec<Fault> = misleading_answers.choose_multiple(rng, 2).cloned().collect();
    let rule_for = |(request, fault): (u64, Fault)| {
        let rule = Rule::new(Service::Mixpanel, fault).when(When::Nth(vec![request]));
        if rng.random() { rule.after_storing() } else { rule }
    };
    (1..=2).zip(chosen).map(rule_for).collect()
}

/// Every fault that a retry can recover from.
fn transient_faults(service: Service) -> Vec<Rule> {
    let rule = |fault| Rule::new(service, fault);
    let answers = |answer: Answer| rule(Fault::Answer(answer));
    let pausing = |after| answers(Answer::too_many_requests().retry_after(after));
    let mut kinds = vec![
        // It limits the request rate, with or without a valid `Retry-After` header.
        answers(Answer::plain(429, "slow down")),
        answers(Answer::empty(429)).when(When::OverRate { capacity: 20, per_second: 100.0 }),
        pausing(RetryAfter::Seconds(0)),
        pausing(RetryAfter::Seconds(1)),
        pausing(RetryAfter::DateIn(30)),
        pausing(RetryAfter::Seconds(86_400)),
        pausing(RetryAfter::Text("soon".to_owned())),
        // It fails, before or after it stored the events.
        answers(Answer::html(500)),
        answers(Answer::html(502)).after_storing(),
        answers(Answer::upstream_unavailable()),
        answers(Answer::json(503, json!({"error": "unavailable"})).retry_after(RetryAfter::Seconds(2))),
        answers(Answer::empty(504)).after_storing(),
        answers(Answer::empty(408)),
        answers(Answer::empty(500)).after_storing(),
        // It rejects our credentials, or has moved.
        answers(Answer::unauthorized()),
        answers(Answer::forbidden()),
        answers(Answer::html(404)),
        answers(Answer::redirect(301, "http://127.0.0.1:9/")),
        answers(Answer::redirect(307, "http://127.0.0.1:9/")),
        // It is slow.
        rule(Fault::Slow).delay_millis(60),
        rule(Fault::Drip { every_millis: 1 }),
        // Connections break, before or after it stored the events.
        rule(Fault::CloseAfterAnswer),
        rule(Fault::ResetOnReuse),
        rule(Fault::Refuse { for_millis: 30 }),
    ];
    for how in [BreakMode::Reset, BreakMode::Close] {
        let breaks = |at| rule(Fault::Break { at, how });
        kinds.extend([
            breaks(Point::BeforeReading),
            breaks(Point::HalfRead),
            breaks(Point::BeforeAnswer),
            breaks(Point::BeforeAnswer).after_storing(),
            breaks(Point::MidHead),
            breaks(Point::MidHead).after_storing(),
            // A service that sends a success head has stored the events.
            breaks(Point::AfterHead).after_storing(),
            breaks(Point::MidBody).after_storing(),
        ]);
    }
    if service == Service::Mixpanel {
        // It responds with a failure under status 200, or without a valid body.
        kinds.extend([
            answers(Answer::temporary_failure()),
            answers(Answer::temporary_failure()).after_storing(),
            answers(Answer::empty(200)),
            answers(Answer::html(200)).after_storing(),
            answers(Answer { body: AnswerBody::Plain("{\"code\":200,".to_owned()), ..Answer::empty(200) }),
        ]);
    }
    kinds
}
