//! The drivers: how player events are put into each analytics service's words, sent, and its answers understood.
//!
//! What becomes of an event is data ([`Answer`]) and is decided without a network; writing it down is the sync's work.
//! Drivers keep no state.

mod answer;
mod check;
mod details;
mod ga4;
mod mixpanel;
mod reply;
mod secrets;
mod session;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::config;
use crate::models::driver::Driver as Name;
use crate::models::telemetry_delivery::OwedEvent;
pub use answer::{Answer, Failure, FailureClass, Verdict};
pub use check::Checked;
use ga4::Ga4;
use mixpanel::Mixpanel;
pub use session::{Session, SessionBook, outgoing};

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
    pub event: OwedEvent,
    /// Its viewer's session, for a driver that tells it.
    pub session: Option<Session>,
    /// Tells it from every event of every hub, and is the same however often it is sent.
    pub uid: Uuid,
}

/// Events that go out in one request.
#[derive(Debug)]
pub struct Parcel {
    /// The events.
    pub events: Vec<Outgoing>,
    route: Route,
    body: Vec<u8>,
}

/// Where a parcel goes.
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
    pub parcels: Vec<Parcel>,
    /// What is too old for the service, which would take it for another time's, or drop it without a word.
    pub expired: Vec<OwedEvent>,
    /// What the service could not take.
    pub impossible: Vec<(OwedEvent, Failure)>,
}

/// How a driver is to be treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manners {
    /// Requests at once, at most.
    pub concurrency: usize,
    /// Events to be taken up at once.
    pub chunk: usize,
    /// Requests that are put on record together as being sent: what a run that dies had on record counts as perhaps sent.
    pub leased: usize,
    /// Whether it is told in which session an event happened.
    pub tells_sessions: bool,
    /// Whether it is told when a viewer's account was made.
    pub tells_user_since: bool,
    /// Times that an event is sent before it may be given up.
    pub tries: i32,
    /// Since when it must have been tried before it is given up, so that an outage costs no event.
    pub tried_for: TimeDelta,
    /// What an answer that never came is taken for.
    pub unanswered: Unanswered,
}

/// What a request without an answer is taken for, where the service cannot tell a repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// The service knows repetitions by their id: it is sent again.
    SendAgain,
    /// It is sent once more, and marked as perhaps doubled.
    SendOnceMore,
    /// It is taken for delivered.
    Delivered,
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

    /// How it is to be treated.
    pub fn manners(&self) -> Manners {
        match self {
            Self::Ga4(ga4) => ga4.manners(),
            Self::Mixpanel(mixpanel) => mixpanel.manners(),
        }
    }

    /// Puts events into requests.
    pub fn plan(&self, events: Vec<Outgoing>, now: DateTime<Utc>) -> Plan {
        match self {
            Self::Ga4(ga4) => ga4.plan(events, now),
            Self::Mixpanel(mixpanel) => mixpanel.plan(events, now),
        }
    }

    /// The two halves of a parcel, of which one holds what the service would not take.
    pub fn split(&self, parcel: Parcel) -> [Parcel; 2] {
        let Parcel { mut events, route, body: _ } = parcel;
        let rest = events.split_off(events.len() / 2);
        [events, rest].map(|events| match self {
            Self::Ga4(ga4) => ga4.parcel(events),
            Self::Mixpanel(mixpanel) => mixpanel.parcel(events, route),
        })
    }

    /// Sends a parcel now and says what became of it.
    pub async fn send(&self, parcel: &Parcel, now: DateTime<Utc>) -> Answer {
        match self {
            Self::Ga4(ga4) => ga4.send(parcel, now).await,
            Self::Mixpanel(mixpanel) => mixpanel.send(parcel, now).await,
        }
    }

    /// Where a parcel goes, without its query.
    pub const fn endpoint(parcel: &Parcel) -> &'static str {
        parcel.route.path()
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
    pub fn parcel(id: i64, unanswered: i32) -> Parcel {
        let mut outgoing = outgoing(id, None);
        outgoing.event.unanswered = unanswered;
        Parcel { events: vec![outgoing], route: Route::Collect, body: Vec::new() }
    }

    /// An event as it might go out.
    pub fn outgoing(id: i64, user_id: Option<i64>) -> Outgoing {
        let moment = |second| DateTime::from_timestamp(second, 0).expect("it is within range");
        let event = OwedEvent {
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
