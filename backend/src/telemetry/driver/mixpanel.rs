//! Mixpanel, through its two endpoints.
//!
//! `/import` reports the outcome of each event. `/track` accepts only events of the last five days and only
//! reports that the request arrived, so this driver does not send it older events. Both endpoints deduplicate
//! events by `$insert_id`, name, time and user. All of these follow from the event's row, so an event in
//! doubt can simply be sent again. Source: Mixpanel's ingestion API reference.

mod import_response;
mod payload;
mod track_response;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret as _, SecretString};

use super::outcome::{EventOutcome, Failure, FailureClass, SendOutcome};
use super::secrets::Secrets;
use super::{
    DeliveryPolicy, NotConfigured, OutgoingEvent, OutgoingRequest, Plan, Route, Unanswered, response,
};
use crate::config::telemetry::{Endpoint, Guests, Mixpanel as Settings};
use crate::outbound;

/// The maximum age of an event for `/track`, which drops older events but reports success. An hour of the
/// five days is a margin for transmission and clock differences.
const MAX_TRACK_AGE: TimeDelta = TimeDelta::hours(5 * 24 - 1);

/// Mixpanel accepts no events from before this time.
const MIN_EVENT_TIME: DateTime<Utc> = DateTime::from_timestamp(31_536_000, 0).expect("1971 is in range");

/// Maximum number of events in a request to `/import`.
const MAX_EVENTS_PER_IMPORT: usize = 2_000;
/// Maximum number of events in a request to `/track`. Low, since all of them get the same outcome.
const MAX_EVENTS_PER_TRACK: usize = 100;
/// Maximum size of a request body before compression, in bytes. Mixpanel accepts 10 MB, and 2 MiB in the
/// past.
const MAX_BODY_BYTES: usize = 1_900_000;
/// Maximum size of an event, in bytes.
const MAX_EVENT_BYTES: usize = 1_000_000;

/// Attempts after which an event may be dead.
const MAX_ATTEMPTS: i32 = 8;
/// How long an event is retried before it may be dead.
const MIN_RETRY_PERIOD: TimeDelta = TimeDelta::days(7);

/// The Mixpanel driver.
#[derive(Debug)]
pub struct Mixpanel {
    client: Client,
    import_url: String,
    track_url: String,
    token: SecretString,
    credentials: Credentials,
    endpoint: Endpoint,
    guests: Guests,
    max_concurrency: usize,
    secrets: Secrets,
}

/// The credentials for `/import`.
#[derive(Debug)]
enum Credentials {
    ServiceAccount {
        username: String,
        secret: SecretString,
    },
    /// The project's secret or token as a username without a password.
    Username(SecretString),
}

impl Mixpanel {
    /// Fails with the name of a missing setting.
    pub fn new(settings: &Settings) -> Result<Self, NotConfigured> {
        let token = settings.project_token.clone().ok_or(NotConfigured("MIXPANEL_PROJECT_TOKEN"))?;
        let base = &settings.base_url;
        let mut import_url = outbound::join_path(base, "import");
        import_url.query_pairs_mut().append_pair("strict", "1");
        let account =
            settings.service_account.as_ref().and_then(|account| account.expose_secret().split_once(':'));
        let credentials = match (account, &settings.api_secret) {
            (Some((username, secret)), _) => {
                let project = settings.project_id.as_deref().unwrap_or_default();
                import_url.query_pairs_mut().append_pair("project_id", project);
                Credentials::ServiceAccount {
                    username: username.to_owned(),
                    secret: SecretString::from(secret),
                }
            }
            (None, Some(secret)) => Credentials::Username(secret.clone()),
            (None, None) => Credentials::Username(token.clone()),
        };
        let mut track_url = outbound::join_path(base, "track");
        track_url.query_pairs_mut().append_pair("verbose", "1").append_pair("ip", "0");
        let has_secret = settings.service_account.is_some() || settings.api_secret.is_some();
        let account_secret = match &credentials {
            Credentials::ServiceAccount { secret, .. } => Some(secret),
            Credentials::Username(_) => None,
        };
        let mut secrets =
            Secrets::new([Some(&token), settings.api_secret.as_ref(), account_secret].into_iter().flatten())
                .with_credentials(token.expose_secret(), "");
        match &credentials {
            Credentials::ServiceAccount { username, secret } => {
                secrets = secrets.with_credentials(username, secret.expose_secret());
            }
            Credentials::Username(username) => {
                secrets = secrets.with_credentials(username.expose_secret(), "")
            }
        }
        Ok(Self {
            client: outbound::telemetry_client(settings.request_timeout),
            import_url: import_url.into(),
            track_url: track_url.into(),
            endpoint: match settings.endpoint {
                Endpoint::Auto if has_secret => Endpoint::Import,
                other => other,
            },
            token,
            credentials,
            guests: settings.guests,
            max_concurrency: settings.concurrency,
            secrets,
        })
    }

    /// How events are delivered. Batches are large, since Mixpanel deduplicates events that are sent again.
    pub fn policy(&self) -> DeliveryPolicy {
        let events_per_request = match self.endpoint {
            Endpoint::Import => MAX_EVENTS_PER_IMPORT,
            Endpoint::Auto | Endpoint::Track => MAX_EVENTS_PER_TRACK,
        };
        DeliveryPolicy {
            max_concurrency: self.max_concurrency,
            events_per_fetch: events_per_request.max(MAX_EVENTS_PER_TRACK * self.max_concurrency),
            requests_per_lease: self.max_concurrency,
            needs_sessions: false,
            needs_sign_up_date: false,
            max_attempts: MAX_ATTEMPTS,
            min_retry_period: MIN_RETRY_PERIOD,
            unanswered: Unanswered::Retry,
        }
    }

    /// Groups events by endpoint and builds requests.
    pub fn plan(&self, events: Vec<OutgoingEvent>, now: DateTime<Utc>) -> Plan {
        let mut plan = Plan::default();
        let mut by_route: [(Route, Vec<OutgoingEvent>); 3] =
            [Route::Track, Route::Import, Route::ImportByToken].map(|route| (route, Vec::new()));
        for outgoing in events {
            match self.route(outgoing.event.recorded_at, now) {
                Some(route) => {
                    let group = by_route.iter_mut().find(|(other, _)| *other == route);
                    if let Some((_, events)) = group {
                        events.push(outgoing);
                    }
                }
                None => plan.expired.push(outgoing.event),
            }
        }
        for (route, events) in by_route {
            self.add_requests(&mut plan, route, events);
        }
        plan
    }

    /// The endpoint for an event of this time; `None` if Mixpanel accepts no such event.
    fn route(&self, recorded_at: DateTime<Utc>, now: DateTime<Utc>) -> Option<Route> {
        if recorded_at < MIN_EVENT_TIME {
            return None;
        }
        let is_recent = now - recorded_at <= MAX_TRACK_AGE;
        match self.endpoint {
            Endpoint::Import => Some(Route::Import),
            Endpoint::Auto | Endpoint::Track if is_recent => Some(Route::Track),
            Endpoint::Auto => Some(Route::ImportByToken),
            Endpoint::Track => None,
        }
    }

    /// All endpoints that events may be sent to.
    pub(super) const fn routes(&self) -> &'static [Route] {
        match self.endpoint {
            Endpoint::Import => &[Route::Import],
            Endpoint::Auto => &[Route::Track, Route::ImportByToken],
            Endpoint::Track => &[Route::Track],
        }
    }

    fn add_requests(&self, plan: &mut Plan, route: Route, events: Vec<OutgoingEvent>) {
        let max_events = match route {
            Route::Track => MAX_EVENTS_PER_TRACK,
            Route::Import | Route::ImportByToken | Route::Collect => MAX_EVENTS_PER_IMPORT,
        };
        let empty = || OutgoingRequest { events: Vec::new(), route, body: Vec::new() };
        let mut request = empty();
        for outgoing in events {
            let json = payload::event(&outgoing, self.token.expose_secret(), self.guests);
            if json.len() > MAX_EVENT_BYTES {
                plan.unsendable.push((outgoing.event, Failure::of(FailureClass::TooLarge)));
                continue;
            }
            let is_full =
                request.events.len() >= max_events || request.body.len() + json.len() > MAX_BODY_BYTES;
            if is_full && !request.events.is_empty() {
                plan.requests.push(close_array(std::mem::replace(&mut request, empty())));
            }
            request.body.push(if request.events.is_empty() { b'[' } else { b',' });
            request.body.extend_from_slice(&json);
            request.events.push(outgoing);
        }
        if !request.events.is_empty() {
            plan.requests.push(close_array(request));
        }
    }

    /// Builds one request from some events of an earlier request.
    pub(super) fn build_request(&self, events: Vec<OutgoingEvent>, route: Route) -> OutgoingRequest {
        let mut plan = Plan::default();
        self.add_requests(&mut plan, route, events);
        let empty = || OutgoingRequest { events: Vec::new(), route, body: b"[]".to_vec() };
        plan.requests.pop().unwrap_or_else(empty)
    }

    /// Sends a request.
    pub async fn send(&self, request: &OutgoingRequest, now: DateTime<Utc>) -> SendOutcome {
        match response::send(self.request(request.route, &request.body), now).await {
            Ok(response) => self.interpret(request, &response),
            Err(outcome) => outcome,
        }
    }

    /// A request with this body to this endpoint.
    pub(super) fn request(&self, route: Route, body: &[u8]) -> RequestBuilder {
        let request = match route {
            Route::Track | Route::Collect => self.client.post(&self.track_url),
            Route::Import => self.authenticate(self.client.post(&self.import_url)),
            Route::ImportByToken => {
                self.client.post(&self.import_url).basic_auth(self.token.expose_secret(), Some(""))
            }
        };
        request
            .header(CONTENT_TYPE, "application/json")
            .header(CONTENT_ENCODING, "gzip")
            .body(payload::compress(body))
    }

    fn authenticate(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.credentials {
            Credentials::ServiceAccount { username, secret } => {
                request.basic_auth(username, Some(secret.expose_secret()))
            }
            Credentials::Username(username) => request.basic_auth(username.expose_secret(), Some("")),
        }
    }

    fn interpret(&self, request: &OutgoingRequest, response: &response::Response) -> SendOutcome {
        let event_count = request.events.len();
        if request.route == Route::ImportByToken && response.status.as_u16() == 401 {
            // `/import` does not accept the token alone, and `/track` does not accept events of this age.
            return SendOutcome::PerEvent(vec![EventOutcome::Expired; event_count]);
        }
        if let Some(outcome) = response::outcome_from_status(response, &self.secrets) {
            return outcome;
        }
        if response.status.as_u16() == 413 {
            let message = self.secrets.redact(&String::from_utf8_lossy(&response.body));
            return SendOutcome::Refused(Failure::with_status(FailureClass::TooLarge, 413, message));
        }
        match request.route {
            Route::Track | Route::Collect => track_response::interpret(response, event_count, &self.secrets),
            Route::Import | Route::ImportByToken => {
                import_response::interpret(response, event_count, &self.secrets)
            }
        }
    }

    pub(super) const fn secrets(&self) -> &Secrets {
        &self.secrets
    }
}

fn close_array(mut request: OutgoingRequest) -> OutgoingRequest {
    request.body.push(b']');
    request
}
