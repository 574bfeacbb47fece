//! Handles a request: counts it, passes it to its service, stores the events, and adds it to the journal.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::content::{self, Content};
use crate::config::{Config, Keep};
use crate::configure::set_open;
use crate::fault::{Fault, MatchedRule, Plan, RequestView, Stage};
use crate::ga4;
use crate::http::{Head, Request, Response};
use crate::journal::{Entry, JournalEvent, Service};
use crate::mixpanel::{self, FailingRecords, RequestContext};
use crate::outcome::Outcome;
use crate::shared::Shared;

/// A request whose first byte has arrived. The request is in flight until this is dropped.
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
        let (at, arrived_micros) = (shared.clock.now(), shared.elapsed_micros());
        let (mut order, mut in_flight) = (0, 0);
        shared.counts.send_modify(|counts| {
            let service_counts = counts.of_mut(service);
            service_counts.requests += 1;
            service_counts.in_flight += 1;
            service_counts.most_in_flight = service_counts.most_in_flight.max(service_counts.in_flight);
            in_flight = service_counts.in_flight;
            order = counts.ga4.requests + counts.mixpanel.requests;
        });
        Self { shared, service, connection, order, at, arrived_micros, in_flight }
    }

    /// The rule that applies to the request at this stage.
    pub(super) fn match_rule(&self, stage: Stage, route: &str, uids: &[String]) -> Option<MatchedRule> {
        let request = RequestView { service: self.service, stage, route, uids };
        let matched = Plan::match_request(&mut self.shared.plan.lock(), request);
        if matched.is_some() {
            self.shared.counts.send_modify(|counts| counts.of_mut(self.service).faults += 1);
        }
        matched
    }

    /// Adds a request that was not read completely to the journal.
    pub(super) fn journal_fault(&self, matched: &MatchedRule, head: Option<Head>) {
        let request = Request { head: head.unwrap_or_default(), body: Vec::new() };
        self.journal(request, Vec::new(), None, Some(matched));
    }

    fn journal(
        &self,
        request: Request,
        events: Vec<JournalEvent>,
        status: Option<u16>,
        matched: Option<&MatchedRule>,
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
            fault: matched.map(MatchedRule::injected_fault),
        });
        self.shared.journal.lock().push(Arc::clone(&entry), keep);
        // An error means that the feed has no receiver.
        let _ = self.shared.feed.send(entry);
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        self.shared.counts.send_modify(|counts| counts.of_mut(self.service).in_flight -= 1);
    }
}

/// The response to send, and the rule whose fault may affect it.
pub(super) struct Exchange {
    pub response: Response,
    pub matched: Option<MatchedRule>,
}

/// Handles a request, stores its events, and adds it to the journal.
pub(super) fn handle(arrival: &Arrival, request: Request, peer: IpAddr) -> Exchange {
    let shared = &arrival.shared;
    let config = shared.config();
    let content = Content::read(arrival.service, &request);
    let matched = arrival.match_rule(Stage::Complete, &request.head.path, &content.uids());
    let fault = matched.as_ref().map(|matched| &matched.rule.fault);
    let (real_response, outcomes) = if matched.as_ref().is_none_or(|matched| matched.rule.is_processed()) {
        process(arrival, &request, &content, peer, &config, matched.as_ref())
    } else {
        (Response::empty(200), vec![Outcome::Unjudged; content.events().len()])
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
        | None => real_response,
    };
    let is_silent = fault.is_some_and(Fault::is_silent);
    let status = (!is_silent).then_some(response.status);
    let events = content.into_events().into_iter().zip(outcomes).map(|(event, verdict)| {
        let uid = content::uid(arrival.service, &event);
        JournalEvent { uid, event, verdict }
    });
    let events = events.collect();
    arrival.journal(request, events, status, matched.as_ref());
    Exchange { response, matched }
}

fn process(
    arrival: &Arrival,
    request: &Request,
    content: &Content,
    peer: IpAddr,
    config: &Config,
    matched: Option<&MatchedRule>,
) -> (Response, Vec<Outcome>) {
    let shared = &arrival.shared;
    let (response, outcomes) = match content {
        Content::Ga4(body) => {
            let handled = ga4::handle(request, body, arrival.at, &config.ga4);
            let mut store = shared.ga4.lock();
            handled.stored.into_iter().for_each(|event| store.push(event, config.stored));
            (handled.response, handled.outcomes)
        }
        Content::Mixpanel(batch) => {
            let failing = matched.and_then(|matched| match &matched.rule.fault {
                Fault::FailRecords { field, message } => {
                    Some(FailingRecords { uids: &matched.rule.events, field, message })
                }
                _ => None,
            });
            let received = RequestContext { now: arrival.at, peer, config: &config.mixpanel, failing };
            let handled = mixpanel::handle(request, batch, received);
            let mut store = shared.mixpanel.lock();
            handled.stored.into_iter().for_each(|event| store.push(event, config));
            (handled.response, handled.outcomes)
        }
    };
    let stored = outcomes.iter().filter(|outcome| outcome.is_stored()).count() as u64;
    let not_stored = outcomes.len() as u64 - stored;
    shared.counts.send_modify(|counts| {
        let counts = counts.of_mut(arrival.service);
        counts.stored += stored;
        counts.not_stored += not_stored;
    });
    (response, outcomes)
}

/// Closes a service's port for some time. Returns when it is closed.
pub(super) async fn close_port_for(shared: Arc<Shared>, service: Service, millis: u64) {
    set_open(&shared, service, false).await;
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(millis)).await;
        shared.port_control(service).request_state(true);
    });
}
