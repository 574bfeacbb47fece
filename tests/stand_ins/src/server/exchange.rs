//! A request and its answer: counted, judged, stored, and written down.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::config::{Config, Keep};
use crate::fault::{Fault, Moment, Plan, Point, Sight, Stage, Strike};
use crate::ga4;
use crate::http::{Head, Request, Response};
use crate::journal::{Entry, JournalEvent, Service};
use crate::mixpanel::{self, Batch, Circumstances, Poison};
use crate::shared::Shared;
use crate::unpoisoned::lock;
use crate::verdict::Verdict;

/// A request whose first byte is there. While it lives, the request is in flight.
pub(super) struct Arrival {
    shared: Arc<Shared>,
    service: Service,
    connection: u64,
    order: u64,
    at: DateTime<Utc>,
    arrived_micros: u64,
    in_flight: u64,
}

impl Arrival {
    pub(super) fn new(shared: Arc<Shared>, service: Service, connection: u64) -> Self {
        let (at, arrived_micros) = (shared.clock.now(), shared.micros());
        let (mut order, mut in_flight) = (0, 0);
        shared.counts.send_modify(|counts| {
            let of_service = counts.of_mut(service);
            of_service.requests += 1;
            of_service.in_flight += 1;
            of_service.most_in_flight = of_service.most_in_flight.max(of_service.in_flight);
            in_flight = of_service.in_flight;
            order = counts.ga4.requests + counts.mixpanel.requests;
        });
        Self { shared, service, connection, order, at, arrived_micros, in_flight }
    }

    /// The rule that strikes it at this stage.
    pub(super) fn strike(&self, stage: Stage, route: &str, uids: &[String]) -> Option<Strike> {
        let sight = Sight { service: self.service, stage, route, uids };
        let strike = Plan::strike(&mut lock(&self.shared.plan), sight);
        if strike.is_some() {
            self.shared.counts.send_modify(|counts| counts.of_mut(self.service).faults += 1);
        }
        strike
    }

    /// Writes a request down that was never wholly read.
    pub(super) fn journal_fault<'a>(&self, strike: &'a Strike, head: Option<&Head>) -> &'a Fault {
        let head = head.cloned().unwrap_or_default();
        let request = Request { head, body: Vec::new() };
        self.journal(request, Vec::new(), None, Some(strike));
        &strike.rule.fault
    }

    fn journal(
        &self,
        request: Request,
        events: Vec<JournalEvent>,
        status: Option<u16>,
        strike: Option<&Strike>,
    ) {
        let keep = self.shared.config().journal;
        if keep == Keep::Nothing && self.shared.feed.receiver_count() == 0 {
            return;
        }
        let entry = Arc::new(Entry {
            order: self.order,
            at: self.at,
            arrived_micros: self.arrived_micros,
            connection: self.connection,
            in_flight: self.in_flight,
            service: self.service,
            query: request.head.query_pairs(),
            method: request.head.method,
            route: request.head.path,
            headers: request.head.headers,
            body: request.body,
            events,
            status,
            fault: strike.map(|strike| strike.struck.clone()),
        });
        lock(&self.shared.journal).push(Arc::clone(&entry), keep);
        // Nobody has to read the feed.
        let _ = self.shared.feed.send(entry);
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        self.shared.counts.send_modify(|counts| counts.of_mut(self.service).in_flight -= 1);
    }
}

/// What is to be sent, and the fault that may keep it from arriving.
pub(super) struct Exchange {
    pub response: Response,
    pub strike: Option<Strike>,
}

/// A request that is read, by service.
enum Content {
    Ga4(ga4::Body),
    Mixpanel(Batch),
}

impl Content {
    fn events(&self) -> &[Value] {
        match self {
            Self::Ga4(body) => body.events(),
            Self::Mixpanel(batch) => batch.events(),
        }
    }

    fn into_events(self) -> Vec<Value> {
        match self {
            Self::Ga4(body) => body.into_events(),
            Self::Mixpanel(batch) => batch.into_events(),
        }
    }

    /// Every id by which a rule may name one of the events.
    fn uids(&self) -> Vec<String> {
        match self {
            Self::Ga4(body) => body.events().iter().filter_map(ga4::event_uid).collect(),
            Self::Mixpanel(batch) => {
                batch.events().iter().flat_map(mixpanel::event_uids).map(str::to_owned).collect()
            }
        }
    }

    /// The id by which the journal names an event.
    fn uid(service: Service, event: &Value) -> Option<String> {
        match service {
            Service::Ga4 => ga4::event_uid(event),
            Service::Mixpanel => mixpanel::event_uids(event).next().map(str::to_owned),
        }
    }
}

/// Judges a request, stores what is to be stored, and writes it down.
pub(super) fn decide(arrival: &Arrival, request: Request, peer: IpAddr) -> Exchange {
    let shared = &arrival.shared;
    let config = shared.config();
    let content = match arrival.service {
        Service::Ga4 => Content::Ga4(ga4::Body::read(&request.body)),
        Service::Mixpanel => Content::Mixpanel(Batch::read(&request)),
    };
    let strike = arrival.strike(Stage::Whole, &request.head.path, &content.uids());
    let goes_unread = strike.as_ref().is_some_and(|strike| !is_judged(strike));
    let (mut response, verdicts) = if goes_unread {
        (Response::empty(200), vec![Verdict::Unjudged; content.events().len()])
    } else {
        judge(arrival, &request, &content, peer, &config, strike.as_ref())
    };
    match strike.as_ref().map(|strike| &strike.rule.fault) {
        Some(Fault::Answer(answer)) => response = answer.response(shared.clock.now()),
        Some(Fault::ImportLie(lie)) => {
            response = lie.response(content.events(), config.mixpanel.insert_id_key);
        }
        _ => {}
    }
    let silent = strike.as_ref().is_some_and(|strike| {
        matches!(
            strike.rule.fault,
            Fault::Break { at: Point::BeforeReading | Point::HalfRead | Point::BeforeAnswer, .. }
        )
    });
    let status = (!silent).then_some(response.status);
    let events = content.into_events().into_iter().zip(verdicts).map(|(event, verdict)| {
        let uid = Content::uid(arrival.service, &event);
        JournalEvent { uid, event, verdict }
    });
    let events = events.collect();
    arrival.journal(request, events, status, strike.as_ref());
    Exchange { response, strike }
}

/// Whether the service does its work although this strikes.
fn is_judged(strike: &Strike) -> bool {
    match strike.rule.fault {
        Fault::Answer(_) | Fault::ImportLie(_) | Fault::Break { .. } | Fault::Refuse { .. } => {
            strike.rule.moment == Moment::AfterStoring
        }
        Fault::FailRecords { .. } | Fault::Drip { .. } | Fault::Slow => true,
        Fault::CloseAfterAnswer | Fault::ResetOnReuse => true,
    }
}

fn judge(
    arrival: &Arrival,
    request: &Request,
    content: &Content,
    peer: IpAddr,
    config: &Config,
    strike: Option<&Strike>,
) -> (Response, Vec<Verdict>) {
    let shared = &arrival.shared;
    let (response, verdicts) = match content {
        Content::Ga4(body) => {
            let judged = ga4::judge(request, body, arrival.at, &config.ga4);
            let mut store = lock(&shared.ga4);
            judged.stored.into_iter().for_each(|event| store.push(event, config.stored));
            (judged.response, judged.verdicts)
        }
        Content::Mixpanel(batch) => {
            let poison = strike.and_then(|strike| match &strike.rule.fault {
                Fault::FailRecords { field, message } => {
                    Some(Poison { uids: &strike.rule.events, field, message })
                }
                _ => None,
            });
            let around = Circumstances { now: arrival.at, peer, config: &config.mixpanel, poison };
            let judged = mixpanel::judge(request, batch, around);
            let mut store = lock(&shared.mixpanel);
            judged.stored.into_iter().for_each(|event| store.push(event, config));
            (judged.response, judged.verdicts)
        }
    };
    let stored = verdicts.iter().filter(|verdict| verdict.is_stored()).count() as u64;
    let not_stored = verdicts.len() as u64 - stored;
    shared.counts.send_modify(|counts| {
        let counts = counts.of_mut(arrival.service);
        counts.stored += stored;
        counts.not_stored += not_stored;
    });
    (response, verdicts)
}

/// Puts a service out of reach for a while.
pub(super) fn refuse(shared: Arc<Shared>, service: Service, millis: u64) {
    shared.gate(service).want_open(false);
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(millis)).await;
        shared.gate(service).want_open(true);
    });
}
