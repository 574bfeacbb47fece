//! Recording what a video player reports.

mod event_id;

use std::borrow::Cow;

use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::Locale;
use domain::text::Text;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use self::event_id::EventId;
use super::context::ContextExt as _;
use super::mirror::sent::Sent;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::telemetry::ingest::{Accepted, Reported};
use crate::telemetry::player_event::{Field, PROGRESS_TICK, Recording, SentEvent, Shape};
use crate::telemetry::refusal::{Reason, Refusal};

/// The most events a request.
pub const MAX_EVENTS: usize = 500;

/// What a request with more events is told.
pub const TOO_MANY: Text =
    Text::new("Se aceptan hasta 500 eventos por petición.", "Accepted: up to 500 events a request.");

/// Recording.
#[derive(Default)]
pub struct RecordMutation;

#[Object]
impl RecordMutation {
    /// Records how far somebody has come in a lesson's video, and a `progress_tick` event. The answer comes when both
    /// are stored for good.
    ///
    /// The furthest second and the seconds watched never shrink, and a report that comes late does not move the last
    /// second backwards. A report that is sent again with its `clientEventId` changes nothing.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN for somebody else's progress, unless the caller is an admin or service, and
    /// with an API token without RECORD; BAD_USER_INPUT, naming the field; RATE_LIMITED when one user sends too much, or
    /// when more arrives than can be stored: nothing was recorded, send it again.
    async fn record_video_progress(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where the viewer is.")] input: VideoProgressInput,
    ) -> Result<VideoProgress> {
        let by = Recording::by(ctx.viewer()?)?;
        let reported = ctx.app().ingest.record_progress(Ok(input.into()), by, "input.").await?;
        Ok(reported.into())
    }

    /// Records up to 500 events. Each is judged alone: one that is refused does not keep the others out. The answer has
    /// one result per event, in order, and comes when all that are recorded are stored for good.
    ///
    /// An event that is sent again within 30 days with the same `clientEventId`, of the same user, is answered with the
    /// event that was recorded the first time, and changes nothing. A `progress_tick` of a lesson that Vimeo, Cloudflare or
    /// YouTube plays also moves its viewer's progress, as `recordVideoProgress` does.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN with an API token without RECORD; BAD_USER_INPUT for more than 500 events, and
    /// for a `sentAt` that is no moment; RATE_LIMITED when more arrives than can be stored: nothing was recorded, send it
    /// again.
    async fn record_player_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What happened, in any order.")] events: Vec<PlayerEventInput>,
        #[graphql(
            desc = "What the sender's clock shows as it sends: every `recordedAt` is corrected by the difference \
                    to our clock, if it is from 5 seconds to 23 hours."
        )]
        sent_at: Option<Sent<DateTime<Utc>>>,
    ) -> Result<Vec<PlayerEventResult>> {
        let by = Recording::by(ctx.viewer()?)?;
        if events.len() > MAX_EVENTS {
            return Err(Error::invalid("events", TOO_MANY));
        }
        let sent_at = field(sent_at);
        if sent_at == Field::Unreadable {
            return Err(Error::invalid("sentAt", Reason::NotAMoment.message()));
        }
        let ids: Vec<EventId> = events.iter().map(|event| event.client_event_id.clone()).collect();
        let sent = events
            .into_iter()
            .map(|event| Ok(SentEvent { sent_at: sent_at.clone(), ..event.into() }))
            .collect();
        let answers = ctx.app().ingest.record(sent, by).await?;
        let locale = ctx.request().locale;
        let results = ids.into_iter().zip(answers);
        Ok(results.map(|(id, answer)| PlayerEventResult::new(id, answer, locale)).collect())
    }
}

/// Who plays the video.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum VideoSource {
    /// Vimeo.
    Vimeo,
    /// Cloudflare Stream.
    Cloudflare,
    /// YouTube.
    Youtube,
}

impl VideoSource {
    /// The provider's name in an event.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Vimeo => "vimeo",
            Self::Cloudflare => "cloudflare",
            Self::Youtube => "youtube",
        }
    }
}

/// How far somebody has come in a lesson's video.
#[derive(InputObject)]
pub struct VideoProgressInput {
    /// The lesson.
    lesson_id: Sent<Id>,
    /// Who plays its video.
    source: VideoSource,
    /// The position in the video, in whole seconds from 0 on.
    last_second: Sent<i32>,
    /// Seconds watched so far, in whole seconds from 0 on.
    watched_seconds: Option<Sent<i32>>,
    /// The video's length, in whole seconds.
    duration: Option<Sent<i32>>,
    /// How fast it plays, from 0 to 100; 1 unless told.
    playback_rate: Option<Sent<f64>>,
    /// Whose progress it is, for callers who may record for anybody; one's own unless told.
    user_id: Option<Sent<Id>>,
    /// An id that the player made for this report: sent again with it, the report changes nothing.
    client_event_id: Option<Uuid>,
    /// Whatever else there is to say: up to 4 KiB and 8 levels of JSON.
    metadata: Option<Value>,
    /// When it was so: at most 30 days ago, and at most 2 minutes ahead, which counts as now; now unless told.
    recorded_at: Option<Sent<DateTime<Utc>>>,
    /// What the sender's clock shows as it sends: `recordedAt` is corrected by the difference to our clock, if it is
    /// from 5 seconds to 23 hours.
    sent_at: Option<Sent<DateTime<Utc>>>,
}

/// One thing that happened in a video player.
#[derive(InputObject)]
pub struct PlayerEventInput {
    /// An id that the player made for this event: sent again with it, the event is not recorded again.
    client_event_id: EventId,
    /// What happened: `progress_tick`, `play`, `pause`, `seek`, or another name of 1 to 50 letters, digits, `.`, `_` and
    /// `-`.
    event: String,
    /// The lesson that was playing.
    lesson_id: Option<Sent<Id>>,
    /// Where the video comes from: `youtube`, `vimeo`, `cloudflare` or another text of up to 20 characters.
    provider: Option<String>,
    /// Position in the video, in whole seconds from 0 on.
    #[graphql(default_with = "Some(Sent(Some(0)))")]
    playback_seconds: Option<Sent<i32>>,
    /// Seconds watched so far, in whole seconds from 0 on.
    #[graphql(default_with = "Some(Sent(Some(0)))")]
    watched_seconds: Option<Sent<i32>>,
    /// Length of the video, in whole seconds.
    video_duration: Option<Sent<i32>>,
    /// How fast it plays, from 0 to 100.
    #[graphql(default_with = "Some(Sent(Some(1.0)))")]
    playback_rate: Option<Sent<f64>>,
    /// The part of the page that it happened in, up to 50 characters.
    #[graphql(default_with = "Some(\"player\".to_owned())")]
    context_tag: Option<String>,
    /// Whatever else there is to say: up to 4 KiB and 8 levels of JSON.
    metadata: Option<Value>,
    /// When it happened: at most 30 days ago, and at most 2 minutes ahead, which counts as now; now unless told.
    recorded_at: Option<Sent<DateTime<Utc>>>,
    /// Whose event it is, for callers who may record for anybody; one's own unless told.
    user_id: Option<Sent<Id>>,
}

impl From<VideoProgressInput> for SentEvent {
    fn from(input: VideoProgressInput) -> Self {
        Self {
            client_event_id: Field::sent(input.client_event_id.map(Some)),
            user_id: id(input.user_id),
            event: Field::Is(PROGRESS_TICK.to_owned()),
            lesson_id: id(Some(input.lesson_id)),
            provider: Field::Is(input.source.key().to_owned()),
            playback_seconds: field(Some(input.last_second)),
            watched_seconds: field(input.watched_seconds),
            video_duration: field(input.duration),
            playback_rate: field(input.playback_rate),
            metadata: json(input.metadata),
            recorded_at: field(input.recorded_at),
            sent_at: field(input.sent_at),
            ..Self::new(Shape::Progress)
        }
    }
}

impl From<PlayerEventInput> for SentEvent {
    fn from(input: PlayerEventInput) -> Self {
        Self {
            client_event_id: input.client_event_id.field(),
            user_id: id(input.user_id),
            event: Field::Is(input.event),
            lesson_id: id(input.lesson_id),
            provider: Field::sent(input.provider.map(Some)),
            playback_seconds: field(input.playback_seconds),
            watched_seconds: field(input.watched_seconds),
            video_duration: field(input.video_duration),
            playback_rate: field(input.playback_rate),
            context_tag: Field::sent(input.context_tag.map(Some)),
            metadata: json(input.metadata),
            recorded_at: field(input.recorded_at),
            ..Self::new(Shape::Event)
        }
    }
}

fn field<T>(sent: Option<Sent<T>>) -> Field<T> {
    Field::sent(sent.map(|sent| sent.0))
}

fn id(sent: Option<Sent<Id>>) -> Field<i64> {
    Field::sent(sent.map(Sent::number))
}

fn json(metadata: Option<Value>) -> Field<String> {
    Field::sent(metadata.filter(|value| !value.is_null()).map(|value| Some(value.to_string())))
}

/// How far a viewer has come in a lesson's video.
#[derive(SimpleObject)]
pub struct VideoProgress {
    /// The lesson.
    lesson_id: Id,
    /// The position last reported, in seconds.
    last_second: i32,
    /// The furthest position ever reported, in seconds.
    furthest_second: i32,
    /// Seconds watched.
    watched_seconds: i32,
    /// When it was last reported.
    updated_at: DateTime<Utc>,
    /// The event that was recorded for it.
    event_id: Id,
}

impl From<Reported> for VideoProgress {
    fn from(Reported { lesson_id, event_id, progress }: Reported) -> Self {
        Self {
            lesson_id: Id(lesson_id),
            last_second: progress.last_second,
            furthest_second: progress.furthest_second,
            watched_seconds: progress.watched_seconds,
            updated_at: progress.updated_at,
            event_id: Id(event_id),
        }
    }
}

/// What became of an event.
#[derive(SimpleObject)]
pub struct PlayerEventResult {
    /// The id that the player made for it.
    client_event_id: EventId,
    /// The event that is recorded; null when it was refused.
    event_id: Option<Id>,
    /// Whether it was recorded before.
    duplicate: bool,
    /// Why it was refused; null when it is recorded.
    error: Option<InputError>,
}

impl PlayerEventResult {
    fn new(client_event_id: EventId, answer: Result<Accepted, Refusal>, locale: Locale) -> Self {
        match answer {
            Ok(Accepted { recorded, duplicate }) => {
                Self { client_event_id, event_id: Some(Id(recorded.event_id)), duplicate, error: None }
            }
            Err(refusal) => {
                let error = Some(InputError::new(refusal, locale));
                Self { client_event_id, event_id: None, duplicate: false, error }
            }
        }
    }
}

/// Why one of several inputs was refused.
#[derive(SimpleObject, Serialize)]
pub struct InputError {
    /// BAD_USER_INPUT, FORBIDDEN, RATE_LIMITED or INTERNAL; with the last two the same input may be sent again.
    code: &'static str,
    /// The rule that it breaks, such as UNKNOWN_LESSON or IN_THE_FUTURE.
    reason: &'static str,
    /// The field that is wrong; null when it is the input as a whole.
    field: Option<String>,
    /// What is wrong and what is accepted.
    message: &'static str,
}

impl InputError {
    /// In the reader's language.
    pub fn new(Refusal { reason, field }: Refusal, locale: Locale) -> Self {
        Self {
            code: reason.code().as_str(),
            reason: reason.key(),
            field: field.map(Cow::into_owned),
            message: reason.message().in_locale(locale),
        }
    }
}
