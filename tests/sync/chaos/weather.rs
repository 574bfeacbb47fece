//! The faults of a round, as rules of the stand-ins: some of all that can go wrong, each with a chance of its own.

use rand::Rng as _;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use stand_ins::Service;
use stand_ins::fault::{Answer, AnswerBody, Fault, How, ImportLie, Point, RetryAfter, Rule, When};

use super::world::{Clients, Way, World, uid};

/// So many kinds of trouble at each service at once.
const KINDS: u8 = 6;

/// How far a seed has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// Nothing was sent yet, so that requests are full.
    First,
    /// More trouble; whether the program will be killed in it, so that it need not wait for what hangs.
    Stormy { ends_by_a_kill: bool },
    /// The services are well again.
    Calm,
}

/// The rules of a round.
pub fn rules(world: &World, round: Round, rng: &mut ChaCha8Rng) -> Vec<Rule> {
    // What is refused for good comes first: behind a fault that lets the service do its work it would be taken.
    let mut rules = refusals(world);
    if round == Round::Calm {
        return rules;
    }
    // Such as a proxy that answers in a service's place.
    if matches!(round, Round::Stormy { .. }) && rng.random_bool(0.25) {
        let service = *[Service::Ga4, Service::Mixpanel].choose(rng).unwrap();
        rules.push(Rule::new(service, Fault::Answer(Answer::html(400))));
    }
    if round == Round::First {
        rules.extend(lies(world.way, rng));
    }
    for service in [Service::Ga4, Service::Mixpanel] {
        let mut kinds = troubles(service);
        kinds.shuffle(rng);
        let most = 2.0 * strength(service, world) / f64::from(KINDS);
        for kind in kinds.into_iter().take(KINDS.into()) {
            let is_by_chance = kind.when == When::Always;
            let chance = When::Chance(rng.random_range(0.0..most));
            rules.push(if is_by_chance { kind.when(chance) } else { kind });
        }
    }
    if round == (Round::Stormy { ends_by_a_kill: true }) {
        let hangs = [Point::BeforeAnswer, Point::MidHead, Point::AfterHead];
        let hang =
            |service, at| Rule::new(service, Fault::Break { at, how: How::Hang }).after_storing().times(2);
        rules.push(hang(Service::Ga4, *hangs.choose(rng).unwrap()).when(When::EveryKth(9)));
        rules.push(hang(Service::Mixpanel, *hangs.choose(rng).unwrap()).when(When::EveryKth(2)));
    }
    rules
}

/// How many of a service's requests fail: the fewer there are of them, the more.
const fn strength(service: Service, world: &World) -> f64 {
    match (service, world.clients, world.way) {
        (Service::Ga4, Clients::Many, _) => 0.1,
        (Service::Ga4, Clients::OneAViewer, _) => 0.2,
        (Service::Mixpanel, _, Way::Track) => 0.3,
        (Service::Mixpanel, _, Way::Import) => 0.6,
    }
}

/// What will not be taken, whenever it is sent.
fn refusals(world: &World) -> Vec<Rule> {
    let refusing =
        |service, answer, events: Vec<String>| Rule::new(service, Fault::Answer(answer)).events(events);
    let halves = |events: &std::collections::BTreeSet<i64>| {
        let (even, odd): (Vec<i64>, Vec<i64>) = events.iter().partition(|event| *event % 2 == 0);
        [even, odd].map(|half| half.into_iter().map(uid).collect::<Vec<_>>())
    };
    let [too_large, bad] = halves(&world.refused_by_ga4);
    let mut rules = vec![
        refusing(Service::Ga4, Answer::html(413), too_large),
        refusing(Service::Ga4, Answer::json(400, json!({"error": "bad request"})), bad),
    ];
    // `/import` refuses by itself what is dated too far ahead.
    if world.way == Way::Track {
        let [too_large, bad] = halves(&world.refused_by_mixpanel);
        rules.push(refusing(Service::Mixpanel, Answer::too_large(), too_large));
        rules.push(refusing(Service::Mixpanel, Answer::json(200, json!({"status": 0, "error": "bad"})), bad));
    }
    // A rule without events would look at all.
    rules.retain(|rule| !rule.events.is_empty());
    rules
}

/// Answers that blame a whole request for nothing: it is sent again by halves, until an event alone is blamed, which
/// must not come to that here. So they strike one of the first requests, which are full.
fn lies(way: Way, rng: &mut ChaCha8Rng) -> Vec<Rule> {
    let lies = match way {
        Way::Import => vec![
            Fault::ImportLie(ImportLie::EmptyList),
            Fault::ImportLie(ImportLie::NoList),
            Fault::ImportLie(ImportLie::WrongCount),
            Fault::ImportLie(ImportLie::IndexOutOfRange),
            Fault::ImportLie(ImportLie::DuplicateIndex),
            Fault::ImportLie(ImportLie::TruncatedJson),
            Fault::ImportLie(ImportLie::FewerImported),
            Fault::Answer(Answer::html(413)),
        ],
        Way::Track => vec![
            Fault::Answer(Answer::plain(200, "0")),
            Fault::Answer(Answer::html(413)),
            Fault::Answer(Answer::plain(400, "bad request")),
        ],
    };
    let chosen: Vec<Fault> = lies.choose_multiple(rng, 2).cloned().collect();
    let lie = |(place, fault): (u64, Fault)| {
        let rule = Rule::new(Service::Mixpanel, fault).when(When::Nth(vec![place]));
        if rng.random() { rule.after_storing() } else { rule }
    };
    (1..=2).zip(chosen).map(lie).collect()
}

/// All that can go wrong and be made good.
fn troubles(service: Service) -> Vec<Rule> {
    let rule = |fault| Rule::new(service, fault);
    let answers = |answer: Answer| rule(Fault::Answer(answer));
    let later = |after| answers(Answer::too_many_requests().retry_after(after));
    let mut kinds = vec![
        // It wants less, for so long, or until then, or it does not say for how long.
        answers(Answer::plain(429, "slow down")),
        answers(Answer::empty(429)).when(When::OverRate { capacity: 20, per_second: 100.0 }),
        later(RetryAfter::Seconds(0)),
        later(RetryAfter::Seconds(1)),
        later(RetryAfter::DateIn(30)),
        later(RetryAfter::Seconds(86_400)),
        later(RetryAfter::Text("soon".to_owned())),
        // Something is wrong on its side, before it did anything or after.
        answers(Answer::html(500)),
        answers(Answer::html(502)).after_storing(),
        answers(Answer::upstream_unavailable()),
        answers(Answer::json(503, json!({"error": "unavailable"})).retry_after(RetryAfter::Seconds(2))),
        answers(Answer::empty(504)).after_storing(),
        answers(Answer::empty(408)),
        answers(Answer::empty(500)).after_storing(),
        // It does not let us in, or is somewhere else.
        answers(Answer::unauthorized()),
        answers(Answer::forbidden()),
        answers(Answer::html(404)),
        answers(Answer::redirect(301, "http://127.0.0.1:9/")),
        answers(Answer::redirect(307, "http://127.0.0.1:9/")),
        // It takes its time.
        rule(Fault::Slow).delay_millis(60),
        rule(Fault::Drip { every_millis: 1 }),
        // Connections break off, whether it did its work or not.
        rule(Fault::CloseAfterAnswer),
        rule(Fault::ResetOnReuse),
        rule(Fault::Refuse { for_millis: 30 }),
    ];
    for how in [How::Reset, How::Close] {
        let breaks = |at| rule(Fault::Break { at, how });
        kinds.extend([
            breaks(Point::BeforeReading),
            breaks(Point::HalfRead),
            breaks(Point::BeforeAnswer),
            breaks(Point::BeforeAnswer).after_storing(),
            breaks(Point::MidHead),
            breaks(Point::MidHead).after_storing(),
            // A head that says that all is well is true.
            breaks(Point::AfterHead).after_storing(),
            breaks(Point::MidBody).after_storing(),
        ]);
    }
    if service == Service::Mixpanel {
        // All is well, it says, and does not say what.
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
