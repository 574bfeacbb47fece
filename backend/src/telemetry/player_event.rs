//! A player event on its way in: as it was sent, and as it may be recorded. Everything that can be told without the
//! database is told here.

use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use domain::Viewer;
use domain::access::{Act, Denied};
use uuid::Uuid;

use super::refusal::{Reason, Refusal};
use super::sender_clock;
use crate::auth::player_token::PlayerToken;
use crate::clock;
use crate::json_scan::{Finding, scan};

/// The event that a report of progress becomes.
pub const PROGRESS_TICK: &str = "progress_tick";

/// What happens at most this much after now counts as now.
pub(super) const MAX_AHEAD: TimeDelta = TimeDelta::minutes(2);
/// What happened before is too old.
pub(super) const MAX_AGE: TimeDelta = TimeDelta::days(30);

/// The most bytes of metadata.
const MAX_METADATA: usize = 4096;
/// How deep metadata may be nested.
const MAX_METADATA_NESTING: usize = 8;

const MAX_EVENT_NAME: usize = 50;
const MAX_PROVIDER: usize = 20;
const MAX_CONTEXT_TAG: usize = 50;
const DEFAULT_CONTEXT_TAG: &str = "player";
const MAX_PLAYBACK_RATE: f64 = 100.0;

/// A field as it was sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Field<T> {
    /// It was not.
    #[default]
    Missing,
    /// It is of another kind.
    Unreadable,
    /// Its value.
    Is(T),
}

/// What an event was sent as, which decides what its fields are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One of several events.
    Event,
    /// A report of progress.
    Progress,
}

/// An event as it was sent.
#[derive(Debug)]
pub struct SentEvent {
    /// What it was sent as.
    pub shape: Shape,
    /// The id that the player made for it.
    pub client_event_id: Field<Uuid>,
    /// Whose it is.
    pub user_id: Field<i64>,
    /// What happened.
    pub event: Field<String>,
    /// The lesson.
    pub lesson_id: Field<i64>,
    /// Who plays the video.
    pub provider: Field<String>,
    /// Position in the video, in seconds.
    pub playback_seconds: Field<i32>,
    /// Seconds watched so far.
    pub watched_seconds: Field<i32>,
    /// Length of the video, in seconds.
    pub video_duration: Field<i32>,
    /// Speed of playback.
    pub playback_rate: Field<f64>,
    /// The part of the page.
    pub context_tag: Field<String>,
    /// Whatever else there is to say, as JSON.
    pub metadata: Field<String>,
    /// When it happened, by its sender's clock.
    pub recorded_at: Field<DateTime<Utc>>,
    /// What its sender's clock showed when it was sent.
    pub sent_at: Field<DateTime<Utc>>,
}

/// An event that nothing is wrong with as far as can be told without the database.
#[derive(Clone, Debug, PartialEq)]
pub struct PlayerEvent {
    /// The id that the player made for it, by which a retry is known.
    pub client_event_id: Option<Uuid>,
    /// When it happened.
    pub recorded_at: DateTime<Utc>,
    /// Whose it is.
    pub user_id: i64,
    /// Whether it counts only if its user is active when it is recorded: nobody has looked before.
    pub needs_active_user: bool,
    /// The lesson.
    pub lesson_id: Option<i64>,
    /// What happened.
    pub event: String,
    /// Who plays the video.
    pub provider: Option<String>,
    /// Position in the video, in seconds.
    pub playback_seconds: i32,
    /// Seconds watched so far.
    pub watched_seconds: i32,
    /// Length of the video, in seconds.
    pub video_duration: Option<i32>,
    /// Speed of playback.
    pub playback_rate: f64,
    /// The part of the page.
    pub context_tag: String,
    /// Whatever else there is to say, as JSON.
    pub metadata: Option<String>,
}

/// Who records, as far as it decides whose events they may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recording {
    /// The caller.
    pub user_id: i64,
    /// Whether the events may be anybody's.
    pub for_anybody: bool,
    /// Whether it is still to be found out that the caller is active.
    needs_active_user: bool,
}

impl Recording {
    /// What this viewer may record.
    pub fn by(viewer: &Viewer) -> Result<Self, Denied> {
        viewer.may(Act::RecordOwn)?;
        let for_anybody = viewer.may(Act::RecordForAnybody).is_ok();
        Ok(Self { user_id: viewer.user_id, for_anybody, needs_active_user: false })
    }

    /// What a player token lets its user record. They are looked up when their events are recorded, and not before: an
    /// event of a player costs the database one visit.
    pub const fn by_player(token: PlayerToken) -> Self {
        Self { user_id: token.user_id, for_anybody: false, needs_active_user: true }
    }
}

impl<T> Field<T> {
    /// From a value that may be missing, and may be unreadable.
    pub fn sent(value: Option<Option<T>>) -> Self {
        match value {
            None => Self::Missing,
            Some(None) => Self::Unreadable,
            Some(Some(value)) => Self::Is(value),
        }
    }

    fn read(self, field: &'static str, reason: Reason) -> Result<Option<T>, Refusal> {
        match self {
            Self::Missing => Ok(None),
            Self::Unreadable => Err(Refusal::of(field, reason)),
            Self::Is(value) => Ok(Some(value)),
        }
    }
}

impl SentEvent {
    /// An event without any field.
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

    /// The event as it may be recorded, or the first thing that is wrong with it.
    pub fn judge(self, by: Recording, now: DateTime<Utc>) -> Result<PlayerEvent, Refusal> {
        let shape = self.shape;
        Ok(PlayerEvent {
            client_event_id: self.client_event_id.read("clientEventId", Reason::NotAUuid)?,
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
            recorded_at: moment(self.recorded_at, self.sent_at, now)?,
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

fn user(sent: Field<i64>, by: Recording) -> Result<i64, Refusal> {
    match sent.read("userId", Reason::NotAnId)? {
        None => Ok(by.user_id),
        Some(id) if id == by.user_id || by.for_anybody => Ok(id),
        Some(_) => Err(Refusal::of("userId", Reason::NotYourUser)),
    }
}

fn event(sent: Field<String>) -> Result<String, Refusal> {
    let is_name = |text: &String| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        (1..=MAX_EVENT_NAME).contains(&text.len()) && text.bytes().all(allowed)
    };
    let name = sent.read("event", Reason::BadEventName)?.ok_or(Refusal::of("event", Reason::Missing))?;
    if is_name(&name) { Ok(name) } else { Err(Refusal::of("event", Reason::BadEventName)) }
}

fn lesson(shape: Shape, sent: Field<i64>) -> Result<Option<i64>, Refusal> {
    match (shape, sent.read("lessonId", Reason::NotAnId)?) {
        (Shape::Progress, None) => Err(Refusal::of("lessonId", Reason::Missing)),
        (Shape::Progress | Shape::Event, id) => Ok(id),
    }
}

fn provider(shape: Shape, sent: Field<String>) -> Result<Option<String>, Refusal> {
    match shape {
        Shape::Event => {
            let provider = sent.read("provider", Reason::BadProvider)?;
            let provider = words("provider", provider, MAX_PROVIDER, Reason::BadProvider)?;
            Ok(provider.map(|name| known_source(&name).map_or(name, ToOwned::to_owned)))
        }
        // Its values were told apart when it was read.
        Shape::Progress => match sent.read("source", Reason::BadSource)? {
            None => Err(Refusal::of("source", Reason::Missing)),
            source => Ok(source),
        },
    }
}

/// The players whose progress is kept, as they are stored; sent in any case.
pub fn known_source(name: &str) -> Option<&'static str> {
    ["vimeo", "cloudflare", "youtube"].into_iter().find(|known| known.eq_ignore_ascii_case(name))
}

fn context_tag(sent: Field<String>) -> Result<String, Refusal> {
    let tag = sent.read("contextTag", Reason::BadContextTag)?;
    let tag = words("contextTag", tag, MAX_CONTEXT_TAG, Reason::BadContextTag)?;
    Ok(tag.unwrap_or_else(|| DEFAULT_CONTEXT_TAG.to_owned()))
}

/// A text of at most so many characters; a blank one is none.
fn words(
    field: &'static str,
    text: Option<String>,
    most: usize,
    reason: Reason,
) -> Result<Option<String>, Refusal> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    if text.chars().any(char::is_control) || text.chars().count() > most {
        return Err(Refusal::of(field, reason));
    }
    Ok(Some(text))
}

fn position(shape: Shape, sent: Field<i32>) -> Result<i32, Refusal> {
    let field = shape.position();
    match (shape, seconds(field, sent)?) {
        (Shape::Progress, None) => Err(Refusal::of(field, Reason::Missing)),
        (Shape::Progress | Shape::Event, seconds) => Ok(seconds.unwrap_or(0)),
    }
}

fn seconds(field: &'static str, sent: Field<i32>) -> Result<Option<i32>, Refusal> {
    match sent.read(field, Reason::NotSeconds)? {
        Some(..0) => Err(Refusal::of(field, Reason::NegativeSeconds)),
        seconds => Ok(seconds),
    }
}

fn rate(sent: Field<f64>) -> Result<f64, Refusal> {
    let rate = sent.read("playbackRate", Reason::BadPlaybackRate)?.unwrap_or(1.0);
    if (0.0..=MAX_PLAYBACK_RATE).contains(&rate) {
        Ok(rate)
    } else {
        Err(Refusal::of("playbackRate", Reason::BadPlaybackRate))
    }
}

fn metadata(sent: Field<String>) -> Result<Option<String>, Refusal> {
    let Some(json) = sent.read("metadata", Reason::MetadataNotJson)? else { return Ok(None) };
    if json.len() > MAX_METADATA {
        return Err(Refusal::of("metadata", Reason::MetadataTooLarge));
    }
    match scan(&json, MAX_METADATA_NESTING) {
        Finding::Storable => Ok(Some(json)),
        Finding::TooDeep => Err(Refusal::of("metadata", Reason::MetadataTooDeep)),
        Finding::NotStorable => Err(Refusal::of("metadata", Reason::MetadataNotStorable)),
        Finding::NotJson => Err(Refusal::of("metadata", Reason::MetadataNotJson)),
    }
}

fn moment(
    recorded_at: Field<DateTime<Utc>>,
    sent_at: Field<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, Refusal> {
    let sent_at = sent_at.read("sentAt", Reason::NotAMoment)?;
    let Some(moment) = recorded_at.read("recordedAt", Reason::NotAMoment)? else { return Ok(now) };
    if !clock::SUPPORTED_YEARS.contains(&moment.year()) {
        return Err(Refusal::of("recordedAt", Reason::NotAMoment));
    }
    let moment = sent_at.map_or(moment, |sent_at| moment + sender_clock::correction(sent_at, now));
    if moment > now + MAX_AHEAD {
        return Err(Refusal::of("recordedAt", Reason::InTheFuture));
    }
    if moment < now - MAX_AGE {
        return Err(Refusal::of("recordedAt", Reason::TooOld));
    }
    Ok(moment.min(now))
}
