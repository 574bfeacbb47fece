//! Google Analytics 4, by its Measurement Protocol.
//!
//! It answers 204 to whatever arrives, so everything that it would drop without a word is seen to before: what an event
//! and its parameters may be called, that values are scalar and short, that it is told when each event happened, and
//! that nothing is older than three days. It cannot tell a repetition, so nothing is sent twice but where an answer
//! never came. Source: Google's Measurement Protocol reference.

mod name;
mod payload;

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use secrecy::{ExposeSecret as _, SecretString};

use super::outcome::{EventOutcome, Failure, FailureClass, SendOutcome};
use super::secrets::Secrets;
use super::{DeliveryPolicy, NotConfigured, Outgoing, OutgoingRequest, Plan, Route, Unanswered, reply};
use crate::config::telemetry::{Ambiguous, ClientIds, Ga4 as Settings};
use crate::outbound;
use payload::body;

/// What is older is moved to three days ago by the service, which would make it false; half an hour of that is left for
/// the way and for clocks that differ.
const MAX_AGE: TimeDelta = TimeDelta::minutes(71 * 60 + 30);

/// Events of one client in a request, at most.
const EVENTS_A_REQUEST: usize = 25;
/// The most bytes of a body; the service takes less than 130 kB.
const BYTES_A_REQUEST: usize = 120_000;

/// Events to be taken up at once.
const TAKEN_UP_AT_ONCE: usize = 1_000;
/// So many requests of one event each are put on record together for each that may be under way.
const LEASED_A_CONNECTION: usize = 4;

/// Times that an event is sent before it may be given up, and for how long.
const TRIES: i32 = 5;
const TRIED_FOR: TimeDelta = TimeDelta::hours(24);

/// Google Analytics 4, ready to be sent to.
#[derive(Debug)]
pub struct Ga4 {
    client: Client,
    collect: Address,
    debug: Address,
    client_ids: ClientIds,
    ambiguous: Ambiguous,
    max_concurrency: usize,
    secrets: Secrets,
}

/// An address with what lets us in, which is not told.
struct Address(Url);

impl Address {
    fn new(base: &Url, path: &str, measurement_id: &str, api_secret: &SecretString) -> Self {
        let mut url = outbound::below(base, path);
        url.query_pairs_mut()
            .append_pair("measurement_id", measurement_id)
            .append_pair("api_secret", api_secret.expose_secret());
        Self(url)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Address").field(&self.0.path()).finish()
    }
}

impl Ga4 {
    /// Fails with the name of a setting that is missing.
    pub fn new(settings: &Settings) -> Result<Self, NotConfigured> {
        let measurement_id = settings.measurement_id.clone().ok_or(NotConfigured("GA4_MEASUREMENT_ID"))?;
        let api_secret = settings.api_secret.clone().ok_or(NotConfigured("GA4_API_SECRET"))?;
        let address = |path| Address::new(&settings.base_url, path, &measurement_id, &api_secret);
        Ok(Self {
            client: outbound::telemetry_client(settings.answer_within),
            collect: address("mp/collect"),
            debug: address("debug/mp/collect"),
            client_ids: settings.client_ids,
            ambiguous: settings.ambiguous,
            max_concurrency: settings.concurrency,
            secrets: Secrets::new([&api_secret]),
        })
    }

    /// Few requests are on record beyond those being sent, since a repetition is not known as one.
    pub fn policy(&self) -> DeliveryPolicy {
        DeliveryPolicy {
            max_concurrency: self.max_concurrency,
            events_per_fetch: TAKEN_UP_AT_ONCE,
            requests_per_lease: match self.client_ids {
                ClientIds::Spec => LEASED_A_CONNECTION * self.max_concurrency,
                ClientIds::Stable => self.max_concurrency,
            },
            needs_sessions: true,
            needs_sign_up_date: self.client_ids == ClientIds::Stable,
            max_attempts: TRIES,
            min_retry_period: TRIED_FOR,
            unanswered: match self.ambiguous {
                Ambiguous::Retry => Unanswered::RetryOnce,
                Ambiguous::AssumeDelivered => Unanswered::AssumeDelivered,
            },
        }
    }

    /// One request an event, since each has a client of its own; or one for up to 25 events of the same client.
    pub fn plan(&self, events: Vec<Outgoing>, now: DateTime<Utc>) -> Plan {
        let mut plan = Plan::default();
        let (expired, mut fresh): (Vec<_>, Vec<_>) =
            events.into_iter().partition(|outgoing| now - outgoing.event.recorded_at > MAX_AGE);
        plan.expired = expired.into_iter().map(|outgoing| outgoing.event).collect();
        if self.client_ids == ClientIds::Spec {
            plan.requests = fresh.into_iter().map(|outgoing| self.build_request(vec![outgoing])).collect();
            return plan;
        }
        // A repetition goes alone: were it not answered again, no other event would be in doubt.
        let sender =
            |outgoing: &Outgoing| (outgoing.event.user_id, payload::client_id(outgoing, self.client_ids));
        fresh.sort_by_cached_key(|outgoing| (outgoing.event.maybe_duplicate, sender(outgoing)));
        let together =
            |first: &Outgoing, next: &Outgoing| !next.event.maybe_duplicate && sender(first) == sender(next);
        for outgoing in fresh {
            match plan.requests.last_mut() {
                Some(OutgoingRequest { events, .. })
                    if events.len() < EVENTS_A_REQUEST
                        && events.first().is_some_and(|first| together(first, &outgoing)) =>
                {
                    events.push(outgoing);
                }
                _ => plan.requests.push(self.build_request(vec![outgoing])),
            }
        }
        plan.requests = plan.requests.into_iter().map(|request| self.build_request(request.events)).collect();
        // Requests that are too large in bytes are halved until they fit.
        while let Some(place) = plan
            .requests
            .iter()
            .position(|request| request.body.len() > BYTES_A_REQUEST && request.events.len() > 1)
        {
            let mut events = plan.requests.swap_remove(place).events;
            let rest = events.split_off(events.len() / 2);
            plan.requests.extend([self.build_request(events), self.build_request(rest)]);
        }
        plan.requests.sort_by_key(|request| request.events.first().map(|first| first.event.position()));
        plan
    }

    /// A request for events of one client.
    pub fn build_request(&self, events: Vec<Outgoing>) -> OutgoingRequest {
        let body = body(&events, self.client_ids);
        OutgoingRequest { events, route: Route::Collect, body }
    }

    /// Sends a request.
    pub async fn send(&self, request: &OutgoingRequest, now: DateTime<Utc>) -> SendOutcome {
        let http = self
            .client
            .post(self.collect.0.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(request.body.clone());
        match reply::send(http, now).await {
            Ok(reply) => self.judge(request, &reply),
            Err(answer) => answer,
        }
    }

    /// What an answer means. Any 2xx says that the bytes arrived, which is all that this service ever says.
    fn judge(&self, request: &OutgoingRequest, reply: &reply::Reply) -> SendOutcome {
        if let Some(answer) = reply::by_status(reply, &self.secrets) {
            return answer;
        }
        if reply.status.is_success() {
            return SendOutcome::PerEvent(vec![EventOutcome::Delivered; request.events.len()]);
        }
        let class = if reply.status == StatusCode::PAYLOAD_TOO_LARGE {
            FailureClass::TooLarge
        } else {
            FailureClass::Refused
        };
        let said = self.secrets.redact(&String::from_utf8_lossy(&reply.body));
        SendOutcome::Refused(Failure::with_status(class, reply.status.as_u16(), said))
    }

    /// An answer to this says what the service thinks of a body, and nothing is stored.
    pub(super) fn debug_request(&self) -> RequestBuilder {
        self.client.post(self.debug.0.clone())
    }

    pub(super) const fn secrets(&self) -> &Secrets {
        &self.secrets
    }
}
