//! Google Analytics 4, through its Measurement Protocol.
//!
//! GA4 answers 204 to every request and silently drops invalid events. So this driver makes sure beforehand
//! that the names of events and parameters are valid, that values are scalar and short, that each event has a
//! timestamp, and that no event is older than three days. GA4 does not deduplicate, so an event is sent again
//! only if it is unknown whether it arrived. Source: Google's Measurement Protocol reference.

mod name;
mod payload;

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use secrecy::{ExposeSecret as _, SecretString};

use super::outcome::{EventOutcome, Failure, FailureClass, SendOutcome};
use super::secrets::Secrets;
use super::{
    DeliveryPolicy, NotConfigured, OutgoingEvent, OutgoingRequest, Plan, Route, Unanswered, response,
};
use crate::config::telemetry::{Ambiguous, ClientIds, Ga4 as Settings};
use crate::outbound;
use payload::body;

/// The maximum age of an event. GA4 moves the time of older events to three days ago, which would falsify it.
/// Half an hour of the three days is a margin for transmission and clock differences.
const MAX_AGE: TimeDelta = TimeDelta::minutes(71 * 60 + 30);

/// Maximum number of events in a request, all of one client.
const MAX_EVENTS_PER_REQUEST: usize = 25;
/// Maximum size of a request body, in bytes. GA4 accepts less than 130 kB.
const MAX_BODY_BYTES: usize = 120_000;

const EVENTS_PER_FETCH: usize = 1_000;
/// Requests that are leased together per concurrent request, if each request has one event.
const LEASED_REQUESTS_PER_CONNECTION: usize = 4;

/// Attempts after which an event may be dead.
const MAX_ATTEMPTS: i32 = 5;
/// How long an event is retried before it may be dead.
const MIN_RETRY_PERIOD: TimeDelta = TimeDelta::hours(24);

/// The Google Analytics 4 driver.
#[derive(Debug)]
pub struct Ga4 {
    client: Client,
    collect_url: SecretUrl,
    debug_url: SecretUrl,
    client_ids: ClientIds,
    ambiguous: Ambiguous,
    max_concurrency: usize,
    secrets: Secrets,
}

/// An endpoint's URL, which contains the API secret. Its debug output shows only the path.
struct SecretUrl(Url);

impl SecretUrl {
    fn new(base: &Url, path: &str, measurement_id: &str, api_secret: &SecretString) -> Self {
        let mut url = outbound::join_path(base, path);
        url.query_pairs_mut()
            .append_pair("measurement_id", measurement_id)
            .append_pair("api_secret", api_secret.expose_secret());
        Self(url)
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("SecretUrl").field(&self.0.path()).finish()
    }
}

impl Ga4 {
    /// Fails with the name of a missing setting.
    pub fn new(settings: &Settings) -> Result<Self, NotConfigured> {
        let measurement_id = settings.measurement_id.clone().ok_or(NotConfigured("GA4_MEASUREMENT_ID"))?;
        let api_secret = settings.api_secret.clone().ok_or(NotConfigured("GA4_API_SECRET"))?;
        let url = |path| SecretUrl::new(&settings.base_url, path, &measurement_id, &api_secret);
        Ok(Self {
            client: outbound::telemetry_client(settings.request_timeout),
            collect_url: url("mp/collect"),
            debug_url: url("debug/mp/collect"),
            client_ids: settings.client_ids,
            ambiguous: settings.ambiguous,
            max_concurrency: settings.concurrency,
            secrets: Secrets::new([&api_secret]),
        })
    }

    /// How events are delivered. Only a few requests are leased before they are sent, since GA4 does not
    /// deduplicate.
    pub fn policy(&self) -> DeliveryPolicy {
        DeliveryPolicy {
            max_concurrency: self.max_concurrency,
            events_per_fetch: EVENTS_PER_FETCH,
            requests_per_lease: match self.client_ids {
                ClientIds::Spec => LEASED_REQUESTS_PER_CONNECTION * self.max_concurrency,
                ClientIds::Stable => self.max_concurrency,
            },
            needs_sessions: true,
            needs_sign_up_date: self.client_ids == ClientIds::Stable,
            max_attempts: MAX_ATTEMPTS,
            min_retry_period: MIN_RETRY_PERIOD,
            unanswered: match self.ambiguous {
                Ambiguous::Retry => Unanswered::RetryOnce,
                Ambiguous::AssumeDelivered => Unanswered::AssumeDelivered,
            },
        }
    }

    /// Builds one request per event if each event has its own client, and otherwise one for up to 25 events
    /// of a client.
    pub fn plan(&self, events: Vec<OutgoingEvent>, now: DateTime<Utc>) -> Plan {
        let mut plan = Plan::default();
        let (expired, mut sendable): (Vec<_>, Vec<_>) =
            events.into_iter().partition(|outgoing| now - outgoing.event.recorded_at > MAX_AGE);
        plan.expired = expired.into_iter().map(|outgoing| outgoing.event).collect();
        if self.client_ids == ClientIds::Spec {
            plan.requests = sendable.into_iter().map(|outgoing| self.build_request(vec![outgoing])).collect();
            return plan;
        }
        // A possible duplicate is sent alone. If it goes unanswered again, no other event is in doubt.
        let sender = |outgoing: &OutgoingEvent| {
            (outgoing.event.user_id, payload::client_id(outgoing, self.client_ids))
        };
        sendable.sort_by_cached_key(|outgoing| (outgoing.event.maybe_duplicate, sender(outgoing)));
        let share_request = |first: &OutgoingEvent, next: &OutgoingEvent| {
            !next.event.maybe_duplicate && sender(first) == sender(next)
        };
        for outgoing in sendable {
            match plan.requests.last_mut() {
                Some(OutgoingRequest { events, .. })
                    if events.len() < MAX_EVENTS_PER_REQUEST
                        && events.first().is_some_and(|first| share_request(first, &outgoing)) =>
                {
                    events.push(outgoing);
                }
                _ => plan.requests.push(self.build_request(vec![outgoing])),
            }
        }
        plan.requests = plan.requests.into_iter().map(|request| self.build_request(request.events)).collect();
        // A request that is too large is split in half until it fits.
        while let Some(index) = plan
            .requests
            .iter()
            .position(|request| request.body.len() > MAX_BODY_BYTES && request.events.len() > 1)
        {
            let mut events = plan.requests.swap_remove(index).events;
            let rest = events.split_off(events.len() / 2);
            plan.requests.extend([self.build_request(events), self.build_request(rest)]);
        }
        plan.requests.sort_by_key(|request| request.events.first().map(|first| first.event.position()));
        plan
    }

    /// Builds a request for events of one client.
    pub fn build_request(&self, events: Vec<OutgoingEvent>) -> OutgoingRequest {
        let body = body(&events, self.client_ids);
        OutgoingRequest { events, route: Route::Collect, body }
    }

    /// Sends a request.
    pub async fn send(&self, request: &OutgoingRequest, now: DateTime<Utc>) -> SendOutcome {
        let http = self
            .client
            .post(self.collect_url.0.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(request.body.clone());
        match response::send(http, now).await {
            Ok(response) => self.interpret(request, &response),
            Err(outcome) => outcome,
        }
    }

    /// Interprets a response. A 2xx only means that the request arrived: GA4 never reports more.
    fn interpret(&self, request: &OutgoingRequest, response: &response::Response) -> SendOutcome {
        if let Some(outcome) = response::outcome_from_status(response, &self.secrets) {
            return outcome;
        }
        if response.status.is_success() {
            return SendOutcome::PerEvent(vec![EventOutcome::Delivered; request.events.len()]);
        }
        let class = if response.status == StatusCode::PAYLOAD_TOO_LARGE {
            FailureClass::TooLarge
        } else {
            FailureClass::Refused
        };
        let message = self.secrets.redact(&String::from_utf8_lossy(&response.body));
        SendOutcome::Refused(Failure::with_status(class, response.status.as_u16(), message))
    }

    /// A request to the validation server, which stores nothing.
    pub(super) fn debug_request(&self) -> RequestBuilder {
        self.client.post(self.debug_url.0.clone())
    }

    pub(super) const fn secrets(&self) -> &Secrets {
        &self.secrets
    }
}
