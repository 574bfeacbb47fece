//! Drivers, one per analytics service. They build requests from player events, send them, and interpret the
//! responses.
//!
//! The outcome of a request is data ([`SendOutcome`]). It is decided without network access and recorded by
//! the delivery. Drivers keep no state.

mod check;
mod ga4;
mod mixpanel;
mod outcome;
mod properties;
mod response;
mod secrets;
mod session;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::config;
use crate::models::telemetry_delivery::PendingEvent;
pub use check::CheckResult;
use domain::Driver as DriverName;
use ga4::Ga4;
use mixpanel::Mixpanel;
pub use outcome::{EventOutcome, Failure, FailureClass, SendOutcome};
pub use session::{Session, SessionTracker, without_session};

/// A configured analytics service.
#[derive(Debug)]
pub enum Driver {
    /// Google Analytics 4.
    Ga4(Ga4),
    /// Mixpanel.
    Mixpanel(Mixpanel),
}

/// An event to send, with its session.
#[derive(Clone, Debug, PartialEq)]
pub struct OutgoingEvent {
    pub event: PendingEvent,
    /// The viewer's session, if the driver sends sessions.
    pub session: Option<Session>,
    /// Unique across all hubs, and the same each time the event is sent.
    pub idempotency_key: Uuid,
}

/// A request and the events in it.
#[derive(Debug)]
pub struct OutgoingRequest {
    pub events: Vec<OutgoingEvent>,
    route: Route,
    body: Vec<u8>,
}

/// The endpoint of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    /// GA4's `/mp/collect`.
    Collect,
    /// Mixpanel's `/import`.
    Import,
    /// Mixpanel's `/import`, authenticated with the project token because no other credentials are
    /// configured. For events that are too old for `/track`.
    ImportByToken,
    /// Mixpanel's `/track`.
    Track,
}

/// The requests for a set of events, and the events that are not sent.
#[derive(Debug, Default)]
pub struct Plan {
    pub requests: Vec<OutgoingRequest>,
    /// Too old for the service, which would change their time or silently drop them.
    pub expired: Vec<PendingEvent>,
    /// The service would refuse them.
    pub unsendable: Vec<(PendingEvent, Failure)>,
}

/// How events are delivered to a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryPolicy {
    /// Maximum number of concurrent requests.
    pub max_concurrency: usize,
    /// Events per fetch.
    pub events_per_fetch: usize,
    /// Requests that are leased together. After a crash, their events may have been delivered.
    pub requests_per_lease: usize,
    /// Whether the driver needs the session of an event.
    pub needs_sessions: bool,
    /// Whether the driver needs the date on which the viewer's account was created.
    pub needs_sign_up_date: bool,
    /// Attempts after which an event may be dead.
    pub max_attempts: i32,
    /// How long an event is retried before it may be dead, so that no event is lost to an outage.
    pub min_retry_period: TimeDelta,
    /// What to do if a request gets no response.
    pub unanswered: Unanswered,
}

/// What to do with the events of a request without a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// Retry. The service deduplicates events by their id.
    Retry,
    /// Retry once, marked as a possible duplicate.
    RetryOnce,
    /// Treat them as delivered.
    AssumeDelivered,
}

/// An enabled driver lacks this setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotConfigured(pub &'static str);

/// The enabled drivers, in a fixed order: each one configured, or lacking a setting.
pub fn enabled(config: &config::telemetry::Telemetry) -> Vec<(DriverName, Result<Driver, NotConfigured>)> {
    let mut enabled = Vec::new();
    if config.ga4.enabled {
        enabled.push((DriverName::Ga4, Ga4::new(&config.ga4).map(Driver::Ga4)));
    }
    if config.mixpanel.enabled {
        enabled.push((DriverName::Mixpanel, Mixpanel::new(&config.mixpanel).map(Driver::Mixpanel)));
    }
    enabled
}

/// The names of the drivers that are enabled in this process, whether or not they are configured.
pub fn enabled_names(config: &config::telemetry::Telemetry) -> Vec<DriverName> {
    let is_enabled = |name: &DriverName| match name {
        DriverName::Ga4 => config.ga4.enabled,
        DriverName::Mixpanel => config.mixpanel.enabled,
    };
    DriverName::ALL.into_iter().filter(is_enabled).collect()
}

impl Driver {
    /// The driver's name.
    pub const fn name(&self) -> DriverName {
        match self {
            Self::Ga4(_) => DriverName::Ga4,
            Self::Mixpanel(_) => DriverName::Mixpanel,
        }
    }

    /// How events are delivered to this driver.
    pub fn policy(&self) -> DeliveryPolicy {
        match self {
            Self::Ga4(ga4) => ga4.policy(),
            Self::Mixpanel(mixpanel) => mixpanel.policy(),
        }
    }

    /// Groups events into requests.
    pub fn plan(&self, events: Vec<OutgoingEvent>, now: DateTime<Utc>) -> Plan {
        match self {
            Self::Ga4(ga4) => ga4.plan(events, now),
            Self::Mixpanel(mixpanel) => mixpanel.plan(events, now),
        }
    }

    /// Splits a refused request into two halves.
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

    /// The path of a request's endpoint, without the query.
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
/// Sample events and requests, also for the tests of other modules.
pub mod tests {
    use serde_json::json;

    use super::*;

    /// A request with one event that already went unanswered `unanswered` times.
    pub fn outgoing_request(id: i64, unanswered: i32) -> OutgoingRequest {
        let mut outgoing = outgoing_event(id, None);
        outgoing.event.unanswered = unanswered;
        OutgoingRequest { events: vec![outgoing], route: Route::Collect, body: Vec::new() }
    }

    /// An event to send.
    pub fn outgoing_event(id: i64, user_id: Option<i64>) -> OutgoingEvent {
        let time = |second| DateTime::from_timestamp(second, 0).expect("the timestamp is in range");
        let event = PendingEvent {
            id,
            recorded_at: time(1_800_000_000),
            user_id,
            user_since: user_id.map(|_| time(1_700_000_000)),
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
            arrived_at: time(1_800_000_001),
            attempts: 0,
            unanswered: 0,
            maybe_duplicate: false,
            first_attempt_at: None,
            refused_at: None,
            is_on_record: false,
            is_last: false,
        };
        let session = Session { started_at: time(1_799_999_000), engagement_ms: 10_000 };
        let idempotency_key = Uuid::new_v5(&Uuid::NAMESPACE_URL, id.to_string().as_bytes());
        OutgoingEvent { event, session: Some(session), idempotency_key }
    }
}
