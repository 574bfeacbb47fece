//! A request and its answer: counted, judged, stored, and written down.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::content::{self, Content};
use crate::config::{Config, Keep};
use crate::fault::{Fault, Plan, Sight, Stage, Strike};
use crate::ga4;
use crate::http::{Head, Request, Response};
use crate::journal::{Entry, JournalEvent, Service};
use crate::mixpanel::{self, Circumstances, Poison};
use crate::shared::Shared;
use crate::steer::set_open;
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
    pub(super) fn journal_fault(&self, strike: &Strike, head: Option<Head>) {
        let request = Request { head: head.unwrap_or_default(), body: Vec::new() };
        self.journal(request, Vec::new(), None, Some(strike));
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
            fault: strike.map(Strike::struck),
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

/// Judges a request, stores what is to be stored, and writes it down.
pub(super) fn decide(arrival: &Arrival, request: Request, peer: IpAddr) -> Exchange {
    let shared = &arrival.shared;
    let config = shared.config();
    let content = Content::read(arrival.service, &request);
    let strike = arrival.strike(Stage::Whole, &request.head.path, &content.uids());
    let fault = strike.as_ref().map(|strike| &strike.rule.fault);
    let (judged, verdicts) = if strike.as_ref().is_none_or(|strike| strike.rule.lets_work()) {
        judge(arrival, &request, &content, peer, &config, strike.as_ref())
    } else {
        (Response::empty(200), vec![Verdict::Unjudged; content.events().len()])
    };
    let response = match fault {
        Some(Fault::Answer(answer)) => answer.response(shared.clock.now()),
        Some(Fault::ImportLie(lie)) => lie.response(content.events(), config.mixpanel.insert_id_key),
        Some(
            Fault::FailRecords { .. }
            | Fault::Break { .. }
            | Fault::Drip { .. }
            | Fault::Slow
            | Fault::CloseAfterAnswer
            | Fault::ResetOnReuse
            | Fault::Refuse { .. },
        )
        | None => judged,
    };
    let is_silent = fault.is_some_and(Fault::is_silent);
    let status = (!is_silent).then_some(response.status);
    let events = content.into_events().into_iter().zip(verdicts).map(|(event, verdict)| {
        let uid = content::uid(arrival.service, &event);
        JournalEvent { uid, event, verdict }
    });
    let events = events.collect();
    arrival.journal(request, events, status, strike.as_ref());
    Exchange { response, strike }
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

/// Puts a service out of reach for a while; returns when it is.
pub(super) async fn refuse(shared: Arc<Shared>, service: Service, millis: u64) {
    set_open(&shared, service, false).await;
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(millis)).await;
        shared.gate(service).want_open(true);
    });
}
