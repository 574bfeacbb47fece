//! Incoming player events, and their validation as far as it needs no database.

use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use domain::Viewer;
use domain::access::{Act, Denied};
use uuid::Uuid;

use super::refusal::{Reason, Refusal};
use super::sender_clock;
use crate::auth::player_token::PlayerToken;
use crate::clock;
use crate::field::Field;
use crate::json_scan::{Finding, scan};
use crate::models::player_event::record::PlayerEvent;

/// The name of the event that is recorded for a progress report.
pub const PROGRESS_TICK: &str = "progress_tick";

/// Events up to this far in the future are recorded with the current time.
pub(super) const MAX_CLOCK_SKEW: TimeDelta = TimeDelta::minutes(2);
/// Older events are refused.
pub(super) const MAX_AGE: TimeDelta = TimeDelta::days(30);

const MAX_METADATA_BYTES: usize = 4096;
const MAX_METADATA_NESTING: usize = 8;

const MAX_EVENT_NAME_LENGTH: usize = 50;
const MAX_PROVIDER_LENGTH: usize = 20;
const MAX_CONTEXT_TAG_LENGTH: usize = 50;
const DEFAULT_CONTEXT_TAG: &str = "player";
const MAX_PLAYBACK_RATE: f64 = 100.0;

/// The kind of input, which determines the names of the fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One of several events.
    Event,
    /// A progress report.
    Progress,
}

/// An event that is not validated yet.
#[derive(Debug)]
pub struct IncomingEvent {
    pub shape: Shape,
    pub client_event_id: Field<Uuid>,
    pub user_id: Field<i64>,
    pub event: Field<String>,
    pub lesson_id: Field<i64>,
    pub provider: Field<String>,
    /// The position in the video, in seconds.
    pub playback_seconds: Field<i32>,
    pub watched_seconds: Field<i32>,
    /// The length of the video, in seconds.
    pub video_duration: Field<i32>,
    pub playback_rate: Field<f64>,
    pub context_tag: Field<String>,
    /// JSON.
    pub metadata: Field<String>,
    /// When it happened, by the sender's clock.
    pub recorded_at: Field<DateTime<Utc>>,
    /// When the request was sent, by the sender's clock.
    pub sent_at: Field<DateTime<Utc>>,
}

/// The caller, and which users' events they may record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recording {
    pub user_id: i64,
    /// Whether the caller may record events of any user.
    pub for_any_user: bool,
    /// Whether it was not checked yet that the caller is active.
    needs_active_user: bool,
}

impl Recording {
    /// The permissions of a viewer. Fails if they may not record events.
    pub fn by(viewer: &Viewer) -> Result<Self, Denied> {
        viewer.may(Act::RecordOwn)?;
        let for_any_user = viewer.may(Act::RecordForAnybody).is_ok();
        Ok(Self { user_id: viewer.user_id, for_any_user, needs_active_user: false })
    }

    /// The permissions of a player token. Its user is checked when the events are recorded, so that a report
    /// from a player needs one database query only.
    pub const fn by_player(token: PlayerToken) -> Self {
        Self { user_id: token.user_id, for_any_user: false, needs_active_user: true }
    }
}

impl IncomingEvent {
    /// An event without any fields.
    pub fn new(shape: Shape) -> Self {
        Self {
            shape,
            client_event_id: Field::Missing,
            user_id: Field::Missing,
            event: Field::Missing,
            lesson_id: Field::Missing,
            provider: Field::Missing,
            playback_seconds: Field::Missing,
            watched_seconds: Field::Missing,
            video_duration: Field::Missing,
            playback_rate: Field::Missing,
            context_tag: Field::Missing,
            metadata: Field::Missing,
            recorded_at: Field::Missing,
            sent_at: Field::Missing,
        }
    }

    /// Validates the event. Fails at the first invalid field.
    pub fn validate(self, by: Recording, now: DateTime<Utc>) -> Result<PlayerEvent, Refusal> {
        let shape = self.shape;
        Ok(PlayerEvent {
            client_event_id: self.client_event_id.read(Refusal::of("clientEventId", Reason::NotAUuid))?,
            user_id: user(self.user_id, by)?,
            needs_active_user: by.needs_active_user,
            event: event(self.event)?,
            lesson_id: lesson(shape, self.lesson_id)?,
            provider: provider(shape, self.provider)?,
            playback_seconds: position(shape, self.playback_seconds)?,
            watched_seconds: seconds("watchedSeconds", self.watched_seconds)?.unwrap_or(0),
            video_duration: seconds(shape.duration(), self.video_duration)?,
            playback_rate: rate(self.playback_rate)?,
            context_tag: context_tag(self.context_tag)?,
            metadata: metadata(self.metadata)?,
            recorded_at: timestamp(self.recorded_at, self.sent_at, now)?,
        })
    }
}

impl Shape {
    const fn position(self) -> &'static str {
        match self {
            Self::Event => "playbackSeconds",
            Self::Progress => "lastSecond",
        }
    }

    const fn duration(self) -> &'static str {
        match self {
            Self::Event => "videoDuration",
            Self::Progress => "duration",
        }
    }
}

fn user(value: Field<i64>, by: Recording) -> Result<i64, Refusal> {
    match value.read(Refusal::of("userId", Reason::NotAnId))? {
        None => Ok(by.user_id),
        Some(id) if id == by.user_id || by.for_any_user => Ok(id),
        Some(_) => Err(Refusal::of("userId", Reason::NotYourUser)),
    }
}

fn event(value: Field<String>) -> Result<String, Refusal> {
    let is_name = |text: &String| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        (1..=MAX_EVENT_NAME_LENGTH).contains(&text.len()) && text.bytes().all(allowed)
    };
    let name = value
        .read(Refusal::of("event", Reason::BadEventName))?
        .ok_or(Refusal::of("event", Reason::Missing))?;
    if is_name(&name) { Ok(name) } else { Err(Refusal::of("event", Reason::BadEventName)) }
}

fn lesson(shape: Shape, value: Field<i64>) -> Result<Option<i64>, Refusal> {
    match (shape, value.read(Refusal::of("lessonId", Reason::NotAnId))?) {
        (Shape::Progress, None) => Err(Refusal::of("lessonId", Reason::Missing)),
        (Shape::Progress | Shape::Event, id) => Ok(id),
    }
}

fn provider(shape: Shape, value: Field<String>) -> Result<Option<String>, Refusal> {
    match shape {
        Shape::Event => {
            let provider = value.read(Refusal::of("provider", Reason::BadProvider))?;
            let provider = text_value("provider", provider, MAX_PROVIDER_LENGTH, Reason::BadProvider)?;
            Ok(provider.map(|name| known_source(&name).map_or(name, ToOwned::to_owned)))
        }
        // The value was validated when it was parsed.
        Shape::Progress => match value.read(Refusal::of("source", Reason::BadSource))? {
            None => Err(Refusal::of("source", Reason::Missing)),
            source => Ok(source),
        },
    }
}

/// The stored name of a video source whose progress is recorded. `name` is matched case-insensitively.
pub fn known_source(name: &str) -> Option<&'static str> {
    ["vimeo", "cloudflare", "youtube"].into_iter().find(|known| known.eq_ignore_ascii_case(name))
}

fn context_tag(value: Field<String>) -> Result<String, Refusal> {
    let tag = value.read(Refusal::of("contextTag", Reason::BadContextTag))?;
    let tag = text_value("contextTag", tag, MAX_CONTEXT_TAG_LENGTH, Reason::BadContextTag)?;
    Ok(tag.unwrap_or_else(|| DEFAULT_CONTEXT_TAG.to_owned()))
}

/// Refuses a text that is too long or has control characters. A blank text counts as missing.
fn text_value(
    field: &'static str,
    text: Option<String>,
    max_length: usize,
    reason: Reason,
) -> Result<Option<String>, Refusal> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    if text.chars().any(char::is_control) || text.chars().count() > max_length {
        return Err(Refusal::of(field, reason));
    }
    Ok(Some(text))
}

fn position(shape: Shape, value: Field<i32>) -> Result<i32, Refusal> {
    let field = shape.position();
    match (shape, seconds(field, value)?) {
        (Shape::Progress, None) => Err(Refusal::of(field, Reason::Missing)),
        (Shape::Progress | Shape::Event, seconds) => Ok(seconds.unwrap_or(0)),
    }
}

fn seconds(field: &'static str, value: Field<i32>) -> Result<Option<i32>, Refusal> {
    match value.read(Refusal::of(field, Reason::NotSeconds))? {
        Some(..0) => Err(Refusal::of(field, Reason::NegativeSeconds)),
        seconds => Ok(seconds),
    }
}

fn rate(value: Field<f64>) -> Result<f64, Refusal> {
    let rate = value.read(Refusal::of("playbackRate", Reason::BadPlaybackRate))?.unwrap_or(1.0);
    if (0.0..=MAX_PLAYBACK_RATE).contains(&rate) {
        Ok(rate)
    } else {
        Err(Refusal::of("playbackRate", Reason::BadPlaybackRate))
    }
}

fn metadata(value: Field<String>) -> Result<Option<String>, Refusal> {
    let Some(json) = value.read(Refusal::of("metadata", Reason::MetadataNotJson))? else { return Ok(None) };
    if json.len() > MAX_METADATA_BYTES {
        return Err(Refusal::of("metadata", Reason::MetadataTooLarge));
    }
    match scan(&json, MAX_METADATA_NESTING) {
        Finding::Storable => Ok(Some(json)),
        Finding::TooDeep => Err(Refusal::of("metadata", Reason::MetadataTooDeep)),
        Finding::NotStorable => Err(Refusal::of("metadata", Reason::MetadataNotStorable)),
        Finding::NotJson => Err(Refusal::of("metadata", Reason::MetadataNotJson)),
    }
}

fn timestamp(
    recorded_at: Field<DateTime<Utc>>,
    sent_at: Field<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, Refusal> {
    let sent_at = sent_at.read(Refusal::of("sentAt", Reason::NotAMoment))?;
    let Some(timestamp) = recorded_at.read(Refusal::of("recordedAt", Reason::NotAMoment))? else {
        return Ok(now);
    };
    if !clock::SUPPORTED_YEARS.contains(&timestamp.year()) {
        return Err(Refusal::of("recordedAt", Reason::NotAMoment));
    }
    let timestamp = sent_at.map_or(timestamp, |sent_at| timestamp + sender_clock::correction(sent_at, now));
    if timestamp > now + MAX_CLOCK_SKEW {
        return Err(Refusal::of("recordedAt", Reason::InTheFuture));
    }
    if timestamp < now - MAX_AGE {
        return Err(Refusal::of("recordedAt", Reason::TooOld));
    }
    Ok(timestamp.min(now))
}
