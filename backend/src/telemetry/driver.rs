//! The drivers: how player events are put into each analytics service's words, sent, and its answers understood.
//!
//! The outcome of a request is data ([`SendOutcome`]) and is decided without a network; the delivery records it.
//! Drivers keep no state.

mod check;
mod details;
mod ga4;
mod mixpanel;
mod outcome;
mod reply;
mod secrets;
mod session;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::config;
use crate::models::driver::Driver as Name;
use crate::models::telemetry_delivery::PendingEvent;
pub use check::Checked;
use ga4::Ga4;
use mixpanel::Mixpanel;
pub use outcome::{EventOutcome, Failure, FailureClass, SendOutcome};
pub use session::{Session, SessionTracker, outgoing};

/// An analytics service that is ready to be sent to.
#[derive(Debug)]
pub enum Driver {
    /// Google Analytics 4.
    Ga4(Ga4),
    /// Mixpanel.
    Mixpanel(Mixpanel),
}

/// An event on its way out, with the session it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// The event.
    pub event: PendingEvent,
    /// Its viewer's session, for a driver that tells it.
    pub session: Option<Session>,
    /// Tells it from every event of every hub, and is the same however often it is sent.
    pub uid: Uuid,
}

/// Events that go out in one request.
#[derive(Debug)]
pub struct OutgoingRequest {
    /// The events.
    pub events: Vec<Outgoing>,
    route: Route,
    body: Vec<u8>,
}

/// Where a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    /// GA4's `/mp/collect`.
    Collect,
    /// Mixpanel's `/import`.
    Import,
    /// Mixpanel's `/import` for events that are too old for `/track`, where nothing but the project's token is there to
    /// be let in with.
    ImportByToken,
    /// Mixpanel's `/track`.
    Track,
}

/// What is to be sent, and what will not be.
#[derive(Debug, Default)]
pub struct Plan {
    /// What is to be sent.
    pub requests: Vec<OutgoingRequest>,
    /// What is too old for the service, which would take it for another time's, or drop it without a word.
    pub expired: Vec<PendingEvent>,
    /// What the service could not take.
    pub unsendable: Vec<(PendingEvent, Failure)>,
}

/// How events are delivered to a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryPolicy {
    /// Maximum number of concurrent requests.
    pub max_concurrency: usize,
    /// Events per fetch.
    pub events_per_fetch: usize,
    /// Requests that are leased together. After a crash their events may have been delivered.
    pub requests_per_lease: usize,
    /// Whether it needs the session of an event.
    pub needs_sessions: bool,
    /// Whether it needs the date on which a viewer's account was created.
    pub needs_sign_up_date: bool,
    /// Attempts after which an event may be dead.
    pub max_attempts: i32,
    /// How long an event is retried before it may be dead, so that an outage costs no event.
    pub min_retry_period: TimeDelta,
    /// What to do if no response comes.
    pub unanswered: Unanswered,
}

/// What to do with the events of a request without a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// Retry: the service recognizes repetitions by their id.
    Retry,
    /// Retry once, marked as a possible duplicate.
    RetryOnce,
    /// Take them for delivered.
    AssumeDelivered,
}

/// Settings that an enabled driver lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotConfigured(pub &'static str);

/// Drivers that are enabled, in their order: ready, or lacking a setting.
pub fn enabled(config: &config::telemetry::Telemetry) -> Vec<(Name, Result<Driver, NotConfigured>)> {
    let mut enabled = Vec::new();
    if config.ga4.enabled {
        enabled.push((Name::Ga4, Ga4::new(&config.ga4).map(Driver::Ga4)));
    }
    if config.mixpanel.enabled {
        enabled.push((Name::Mixpanel, Mixpanel::new(&config.mixpanel).map(Driver::Mixpanel)));
    }
    enabled
}

/// The names of the drivers that this process has enabled, ready or not.
pub fn enabled_here(config: &config::telemetry::Telemetry) -> Vec<Name> {
    let is_enabled = |name: &Name| match name {
        Name::Ga4 => config.ga4.enabled,
        Name::Mixpanel => config.mixpanel.enabled,
    };
    Name::ALL.into_iter().filter(is_enabled).collect()
}

impl Driver {
    /// Which one it is.
    pub const fn name(&self) -> Name {
        match self {
            Self::Ga4(_) => Name::Ga4,
            Self::Mixpanel(_) => Name::Mixpanel,
        }
    }

    /// How events are delivered to it.
    pub fn policy(&self) -> DeliveryPolicy {
        match self {
            Self::Ga4(ga4) => ga4.policy(),
            Self::Mixpanel(mixpanel) => mixpanel.policy(),
        }
    }

    /// Puts events into requests.
    pub fn plan(&self, events: Vec<Outgoing>, now: DateTime<Utc>) -> Plan {
        match self {
            Self::Ga4(ga4) => ga4.plan(events, now),
            Self::Mixpanel(mixpanel) => mixpanel.plan(events, now),
        }
    }

    /// The two halves of a request that was refused.
    pub fn split(&self, request: OutgoingRequest) -> [OutgoingRequest; 2] {
        let OutgoingRequest { mut events, route, body: _ } = request;
        let rest = events.split_off(events.len() / 2);
        [events, rest].map(|events| match self {
            Self::Ga4(ga4) => ga4.build_request(events),
            Self::Mixpanel(mixpanel) => mixpanel.build_request(events, route),
        })
    }

    /// Sends a request.
    pub async fn send(&self, request: &OutgoingRequest, now: DateTime<Utc>) -> SendOutcome {
        match self {
            Self::Ga4(ga4) => ga4.send(request, now).await,
            Self::Mixpanel(mixpanel) => mixpanel.send(request, now).await,
        }
    }

    /// Where a request goes, without its query.
    pub const fn endpoint(request: &OutgoingRequest) -> &'static str {
        request.route.path()
    }
}

impl Route {
    const fn path(self) -> &'static str {
        match self {
            Self::Collect => "/mp/collect",
            Self::Import | Self::ImportByToken => "/import",
            Self::Track => "/track",
        }
    }
}

#[cfg(test)]
/// Events and requests as they might go out, for the tests of other parts too.
pub mod tests {
    use serde_json::json;

    use super::*;

    /// A request with one event as it might go out, of which so many went without an answer.
    pub fn outgoing_request(id: i64, unanswered: i32) -> OutgoingRequest {
        let mut outgoing = outgoing(id, None);
        outgoing.event.unanswered = unanswered;
        OutgoingRequest { events: vec![outgoing], route: Route::Collect, body: Vec::new() }
    }

    /// An event as it might go out.
    pub fn outgoing(id: i64, user_id: Option<i64>) -> Outgoing {
        let moment = |second| DateTime::from_timestamp(second, 0).expect("it is within range");
        let event = PendingEvent {
            id,
            recorded_at: moment(1_800_000_000),
            user_id,
            user_since: user_id.map(|_| moment(1_700_000_000)),
            course_id: Some(3),
            lesson_id: Some(7),
            event: "progress_tick".to_owned(),
            provider: Some("youtube".to_owned()),
            playback_seconds: 125,
            watched_seconds: 60,
            video_duration: Some(300),
            playback_rate: 1.5,
            context_tag: "cta".to_owned(),
            metadata: Some(json!({"cta": "banner"})),
            arrived_at: moment(1_800_000_001),
            attempts: 0,
            unanswered: 0,
            maybe_duplicate: false,
            first_attempt_at: None,
            refused_at: None,
            is_on_record: false,
            is_last: false,
        };
        let session = Session { started_at: moment(1_799_999_000), engagement_ms: 10_000 };
        let uid = Uuid::new_v5(&Uuid::NAMESPACE_URL, id.to_string().as_bytes());
        Outgoing { event, session: Some(session), uid }
    }
}
