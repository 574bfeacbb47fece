//! Mixpanel, by its two ways in.
//!
//! `/import` says of each event what became of it. `/track` takes only what happened in the last five days, and says no
//! more than that something arrived, so what it would not take is seen to before. Both know a repetition by its
//! `$insert_id` together with the event's name, time and person, all of which are made of the event's row alone, so that
//! whatever is in doubt is simply sent again. Source: Mixpanel's ingestion API reference.

mod imported;
mod payload;
mod tracked;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret as _, SecretString};

use super::outcome::{EventOutcome, Failure, FailureClass, SendOutcome};
use super::secrets::Secrets;
use super::{DeliveryPolicy, NotConfigured, Outgoing, OutgoingRequest, Plan, Route, Unanswered, reply};
use crate::config::telemetry::{Endpoint, Guests, Mixpanel as Settings};
use crate::outbound;

/// What is older is not taken by `/track`, which says that all is well all the same; an hour of its five days is left for
/// the way and for clocks that differ.
const MAX_AGE_TO_TRACK: TimeDelta = TimeDelta::hours(5 * 24 - 1);

/// Before this nothing is taken at all.
const EARLIEST: DateTime<Utc> = DateTime::from_timestamp(31_536_000, 0).expect("1971 is within range");

/// Events of a request by `/import`, at most.
const IMPORTED_AT_ONCE: usize = 2_000;
/// Events of a request by `/track`: all of them get the same verdict, so it is few.
const TRACKED_AT_ONCE: usize = 100;
/// The most bytes of a body before it is compressed. The service takes 10 MB, and took 2 MiB before.
const BYTES_A_REQUEST: usize = 1_900_000;
/// The most bytes of an event.
const BYTES_AN_EVENT: usize = 1_000_000;

/// Times that an event is sent before it may be given up, and for how long.
const TRIES: i32 = 8;
const TRIED_FOR: TimeDelta = TimeDelta::days(7);

/// Mixpanel, ready to be sent to.
#[derive(Debug)]
pub struct Mixpanel {
    client: Client,
    import: String,
    track: String,
    token: SecretString,
    login: Login,
    endpoint: Endpoint,
    guests: Guests,
    max_concurrency: usize,
    secrets: Secrets,
}

/// What `/import` lets us in with.
#[derive(Debug)]
enum Login {
    ServiceAccount {
        name: String,
        secret: SecretString,
    },
    /// The project's secret, or its token, as a name without a password.
    Name(SecretString),
}

impl Mixpanel {
    /// Fails with the name of a setting that is missing.
    pub fn new(settings: &Settings) -> Result<Self, NotConfigured> {
        let token = settings.project_token.clone().ok_or(NotConfigured("MIXPANEL_PROJECT_TOKEN"))?;
        let base = &settings.base_url;
        let mut import = outbound::below(base, "import");
        import.query_pairs_mut().append_pair("strict", "1");
        let account = settings.service_account.as_ref().and_then(|both| both.expose_secret().split_once(':'));
        let login = match (account, &settings.api_secret) {
            (Some((name, secret)), _) => {
                let project = settings.project_id.as_deref().unwrap_or_default();
                import.query_pairs_mut().append_pair("project_id", project);
                Login::ServiceAccount { name: name.to_owned(), secret: SecretString::from(secret) }
            }
            (None, Some(secret)) => Login::Name(secret.clone()),
            (None, None) => Login::Name(token.clone()),
        };
        let mut track = outbound::below(base, "track");
        track.query_pairs_mut().append_pair("verbose", "1").append_pair("ip", "0");
        let has_secret = settings.service_account.is_some() || settings.api_secret.is_some();
        let account_secret = match &login {
            Login::ServiceAccount { secret, .. } => Some(secret),
            Login::Name(_) => None,
        };
        let mut secrets =
            Secrets::new([Some(&token), settings.api_secret.as_ref(), account_secret].into_iter().flatten())
                .and_login(token.expose_secret(), "");
        match &login {
            Login::ServiceAccount { name, secret } => {
                secrets = secrets.and_login(name, secret.expose_secret());
            }
            Login::Name(name) => secrets = secrets.and_login(name.expose_secret(), ""),
        }
        Ok(Self {
            client: outbound::telemetry_client(settings.answer_within),
            import: import.into(),
            track: track.into(),
            endpoint: match settings.endpoint {
                Endpoint::Auto if has_secret => Endpoint::Import,
                other => other,
            },
            token,
            login,
            guests: settings.guests,
            max_concurrency: settings.concurrency,
            secrets,
        })
    }

    /// A repetition does no harm, so much may be taken up at once.
    pub fn policy(&self) -> DeliveryPolicy {
        let at_once = match self.endpoint {
            Endpoint::Import => IMPORTED_AT_ONCE,
            Endpoint::Auto | Endpoint::Track => TRACKED_AT_ONCE,
        };
        DeliveryPolicy {
            max_concurrency: self.max_concurrency,
            events_per_fetch: at_once.max(TRACKED_AT_ONCE * self.max_concurrency),
            requests_per_lease: self.max_concurrency,
            needs_sessions: false,
            needs_sign_up_date: false,
            max_attempts: TRIES,
            min_retry_period: TRIED_FOR,
            unanswered: Unanswered::Retry,
        }
    }

    /// Requests by the way in that takes each event.
    pub fn plan(&self, events: Vec<Outgoing>, now: DateTime<Utc>) -> Plan {
        let mut plan = Plan::default();
        let mut ways: [(Route, Vec<Outgoing>); 3] =
            [Route::Track, Route::Import, Route::ImportByToken].map(|route| (route, Vec::new()));
        for outgoing in events {
            match self.route(outgoing.event.recorded_at, now) {
                Some(route) => {
                    let way = ways.iter_mut().find(|(way, _)| *way == route);
                    if let Some((_, events)) = way {
                        events.push(outgoing);
                    }
                }
                None => plan.expired.push(outgoing.event),
            }
        }
        for (route, events) in ways {
            self.fill(&mut plan, route, events);
        }
        plan
    }

    /// The way in for what happened then; none where no way takes it.
    fn route(&self, recorded_at: DateTime<Utc>, now: DateTime<Utc>) -> Option<Route> {
        if recorded_at < EARLIEST {
            return None;
        }
        let is_recent = now - recorded_at <= MAX_AGE_TO_TRACK;
        match self.endpoint {
            Endpoint::Import => Some(Route::Import),
            Endpoint::Auto | Endpoint::Track if is_recent => Some(Route::Track),
            Endpoint::Auto => Some(Route::ImportByToken),
            Endpoint::Track => None,
        }
    }

    /// Every way in that an event may go.
    pub(super) const fn ways_in(&self) -> &'static [Route] {
        match self.endpoint {
            Endpoint::Import => &[Route::Import],
            Endpoint::Auto => &[Route::Track, Route::ImportByToken],
            Endpoint::Track => &[Route::Track],
        }
    }

    fn fill(&self, plan: &mut Plan, route: Route, events: Vec<Outgoing>) {
        let most = match route {
            Route::Track => TRACKED_AT_ONCE,
            Route::Import | Route::ImportByToken | Route::Collect => IMPORTED_AT_ONCE,
        };
        let empty = || OutgoingRequest { events: Vec::new(), route, body: Vec::new() };
        let mut request = empty();
        for outgoing in events {
            let written = payload::event(&outgoing, self.token.expose_secret(), self.guests);
            if written.len() > BYTES_AN_EVENT {
                plan.unsendable.push((outgoing.event, Failure::of(FailureClass::TooLarge)));
                continue;
            }
            let is_full =
                request.events.len() >= most || request.body.len() + written.len() > BYTES_A_REQUEST;
            if is_full && !request.events.is_empty() {
                plan.requests.push(closed(std::mem::replace(&mut request, empty())));
            }
            request.body.push(if request.events.is_empty() { b'[' } else { b',' });
            request.body.extend_from_slice(&written);
            request.events.push(outgoing);
        }
        if !request.events.is_empty() {
            plan.requests.push(closed(request));
        }
    }

    /// A request for some of the events of another.
    pub(super) fn build_request(&self, events: Vec<Outgoing>, route: Route) -> OutgoingRequest {
        let mut plan = Plan::default();
        self.fill(&mut plan, route, events);
        let nothing = || OutgoingRequest { events: Vec::new(), route, body: b"[]".to_vec() };
        plan.requests.pop().unwrap_or_else(nothing)
    }

    /// Sends a request.
    pub async fn send(&self, request: &OutgoingRequest, now: DateTime<Utc>) -> SendOutcome {
        match reply::send(self.request(request.route, &request.body), now).await {
            Ok(reply) => self.judge(request, &reply),
            Err(answer) => answer,
        }
    }

    /// A request with this body, by this way in.
    pub(super) fn request(&self, route: Route, body: &[u8]) -> RequestBuilder {
        let request = match route {
            Route::Track | Route::Collect => self.client.post(&self.track),
            Route::Import => self.let_in(self.client.post(&self.import)),
            Route::ImportByToken => {
                self.client.post(&self.import).basic_auth(self.token.expose_secret(), Some(""))
            }
        };
        request
            .header(CONTENT_TYPE, "application/json")
            .header(CONTENT_ENCODING, "gzip")
            .body(payload::compressed(body))
    }

    fn let_in(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.login {
            Login::ServiceAccount { name, secret } => request.basic_auth(name, Some(secret.expose_secret())),
            Login::Name(name) => request.basic_auth(name.expose_secret(), Some("")),
        }
    }

    fn judge(&self, request: &OutgoingRequest, reply: &reply::Reply) -> SendOutcome {
        let sent = request.events.len();
        if request.route == Route::ImportByToken && reply.status.as_u16() == 401 {
            // The token alone does not let us in here, and the way that it opens does not take what is this old.
            return SendOutcome::PerEvent(vec![EventOutcome::Expired; sent]);
        }
        if let Some(answer) = reply::by_status(reply, &self.secrets) {
            return answer;
        }
        if reply.status.as_u16() == 413 {
            let said = self.secrets.redact(&String::from_utf8_lossy(&reply.body));
            return SendOutcome::Refused(Failure::with_status(FailureClass::TooLarge, 413, said));
        }
        match request.route {
            Route::Track | Route::Collect => tracked::judge(reply, sent, &self.secrets),
            Route::Import | Route::ImportByToken => imported::judge(reply, sent, &self.secrets),
        }
    }

    pub(super) const fn secrets(&self) -> &Secrets {
        &self.secrets
    }
}

fn closed(mut request: OutgoingRequest) -> OutgoingRequest {
    request.body.push(b']');
    request
}
