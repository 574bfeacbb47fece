//! Records progress and events of video players.

use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::Locale;
use serde_json::Value;
use uuid::Uuid;

use super::context::ContextExt as _;
use super::event_id::EventId;
use super::lenient::{Lenient, field, id, json};
use crate::error::{Error, Result};
use crate::field::Field;
use crate::id::Id;
use crate::refusal::{InputError, MAX_EVENTS, Reason as _, TOO_MANY_EVENTS};
use crate::telemetry::ingest::{Accepted, RecordedProgress};
use crate::telemetry::player_event::{IncomingEvent, PROGRESS_TICK, Recording, Shape};
use crate::telemetry::refusal::{Reason, Refusal};

/// Records progress and events of video players.
#[derive(Default)]
pub struct RecordMutation;

#[Object]
impl RecordMutation {
    /// Records a viewer's progress in a lesson's video, and a `progress_tick` event. Returns when both are
    /// committed.
    ///
    /// The furthest second and the seconds watched never decrease, and a report that arrives late does not
    /// move the last second back. Repeating a report with the same `clientEventId` changes nothing.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN for another user's progress, unless the caller is an admin or a
    /// service, and with an API token without RECORD; BAD_USER_INPUT with the invalid field; RATE_LIMITED if
    /// a user sends too many events, or if the hub is overloaded (nothing was recorded; send it again).
    async fn record_video_progress(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Progress of the viewer.")] input: VideoProgressInput,
    ) -> Result<VideoProgress> {
        let by = Recording::by(ctx.viewer()?)?;
        let recorded = ctx.app().ingest.record_progress(Ok(input.into()), by, "input.").await?;
        Ok(recorded.into())
    }

    /// Records up to 500 events. Each event is validated separately: invalid events do not prevent others
    /// from being recorded. Returns one result per event, in order, when all recorded events are committed.
    ///
    /// Repeating an event of a user within 30 days with the same `clientEventId` returns the event that was
    /// recorded the first time, and changes nothing. A `progress_tick` of a lesson's video on Vimeo,
    /// Cloudflare or YouTube also updates the viewer's progress, like `recordVideoProgress`.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN with an API token without RECORD; BAD_USER_INPUT for more than 500
    /// events, and for an invalid `sentAt`; RATE_LIMITED if the hub is overloaded (nothing was recorded; send
    /// them again).
    async fn record_player_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The events, in any order.")] events: Vec<PlayerEventInput>,
        #[graphql(
            desc = "Time of sending by the client's clock. Every `recordedAt` is corrected by its difference \
                    to the hub's clock, if that is between 5 seconds and 23 hours."
        )]
        sent_at: Option<Lenient<DateTime<Utc>>>,
    ) -> Result<Vec<PlayerEventResult>> {
        let by = Recording::by(ctx.viewer()?)?;
        if events.len() > MAX_EVENTS {
            return Err(Error::invalid("events", TOO_MANY_EVENTS));
        }
        let sent_at = field(sent_at);
        if sent_at == Field::Invalid {
            return Err(Error::invalid("sentAt", Reason::NotAMoment.message()));
        }
        let ids: Vec<EventId> = events.iter().map(|event| event.client_event_id.clone()).collect();
        let incoming = events
            .into_iter()
            .map(|event| Ok(IncomingEvent { sent_at: sent_at.clone(), ..event.into() }))
            .collect();
        let outcomes = ctx.app().ingest.record(incoming, by).await?;
        let locale = ctx.request().locale;
        let results = ids.into_iter().zip(outcomes);
        Ok(results.map(|(id, outcome)| PlayerEventResult::new(id, outcome, locale)).collect())
    }
}

/// Video provider.
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
    /// The name of the provider in events.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Vimeo => "vimeo",
            Self::Cloudflare => "cloudflare",
            Self::Youtube => "youtube",
        }
    }
}

/// Progress of a viewer in a lesson's video.
#[derive(InputObject)]
pub struct VideoProgressInput {
    /// ID of the lesson.
    lesson_id: Lenient<Id>,
    /// Provider of the video.
    source: VideoSource,
    /// Position in the video in whole seconds, at least 0.
    last_second: Lenient<i32>,
    /// Watched time so far in whole seconds, at least 0.
    watched_seconds: Option<Lenient<i32>>,
    /// Length of the video in whole seconds.
    duration: Option<Lenient<i32>>,
    /// Playback rate, 0–100. Default 1.
    playback_rate: Option<Lenient<f64>>,
    /// ID of the user to record for. Default: the caller. Only admins and services may record for other
    /// users.
    user_id: Option<Lenient<Id>>,
    /// ID of this report, made by the player. Repeating a report with the same ID changes nothing.
    client_event_id: Option<Uuid>,
    /// Additional data, up to 4 KiB and 8 levels of JSON.
    metadata: Option<Value>,
    /// Time of the report, at most 30 days ago. Up to 2 minutes in the future counts as now. Default: now.
    recorded_at: Option<Lenient<DateTime<Utc>>>,
    /// Time of sending by the client's clock. `recordedAt` is corrected by its difference to the hub's clock,
    /// if that is between 5 seconds and 23 hours.
    sent_at: Option<Lenient<DateTime<Utc>>>,
}

/// An event in a video player.
#[derive(InputObject)]
pub struct PlayerEventInput {
    /// ID of this event, made by the player. Repeating an event with the same ID does not record it again.
    client_event_id: EventId,
    /// Name of the event: `progress_tick`, `play`, `pause`, `seek` or another name of 1–50 letters, digits,
    /// `.`, `_` or `-`.
    event: String,
    /// ID of the lesson.
    lesson_id: Option<Lenient<Id>>,
    /// Provider of the video: `youtube`, `vimeo`, `cloudflare` or another name of up to 20 characters.
    provider: Option<String>,
    /// Position in the video in whole seconds, at least 0.
    #[graphql(default_with = "Some(Lenient(Some(0)))")]
    playback_seconds: Option<Lenient<i32>>,
    /// Watched time so far in whole seconds, at least 0.
    #[graphql(default_with = "Some(Lenient(Some(0)))")]
    watched_seconds: Option<Lenient<i32>>,
    /// Length of the video in whole seconds.
    video_duration: Option<Lenient<i32>>,
    /// Playback rate, 0–100.
    #[graphql(default_with = "Some(Lenient(Some(1.0)))")]
    playback_rate: Option<Lenient<f64>>,
    /// Part of the page in which the event occurred, up to 50 characters.
    #[graphql(default_with = "Some(\"player\".to_owned())")]
    context_tag: Option<String>,
    /// Additional data, up to 4 KiB and 8 levels of JSON.
    metadata: Option<Value>,
    /// Time of the event, at most 30 days ago. Up to 2 minutes in the future counts as now. Default: now.
    recorded_at: Option<Lenient<DateTime<Utc>>>,
    /// ID of the user to record for. Default: the caller. Only admins and services may record for other
    /// users.
    user_id: Option<Lenient<Id>>,
}

impl From<VideoProgressInput> for IncomingEvent {
    fn from(input: VideoProgressInput) -> Self {
        Self {
            client_event_id: Field::parsed(input.client_event_id.map(Some)),
            user_id: id(input.user_id),
            event: Field::Value(PROGRESS_TICK.to_owned()),
            lesson_id: id(Some(input.lesson_id)),
            provider: Field::Value(input.source.key().to_owned()),
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

impl From<PlayerEventInput> for IncomingEvent {
    fn from(input: PlayerEventInput) -> Self {
        Self {
            client_event_id: input.client_event_id.field(),
            user_id: id(input.user_id),
            event: Field::Value(input.event),
            lesson_id: id(input.lesson_id),
            provider: Field::parsed(input.provider.map(Some)),
            playback_seconds: field(input.playback_seconds),
            watched_seconds: field(input.watched_seconds),
            video_duration: field(input.video_duration),
            playback_rate: field(input.playback_rate),
            context_tag: Field::parsed(input.context_tag.map(Some)),
            metadata: json(input.metadata),
            recorded_at: field(input.recorded_at),
            ..Self::new(Shape::Event)
        }
    }
}

/// Progress of a viewer in a lesson's video.
#[derive(SimpleObject)]
pub struct VideoProgress {
    /// ID of the lesson.
    lesson_id: Id,
    /// Position in the latest report, in seconds.
    last_second: i32,
    /// Furthest reported position, in seconds.
    furthest_second: i32,
    /// Watched time, in seconds.
    watched_seconds: i32,
    /// Time of the latest report.
    updated_at: DateTime<Utc>,
    /// ID of the event that was recorded for the report.
    event_id: Id,
}

impl From<RecordedProgress> for VideoProgress {
    fn from(RecordedProgress { lesson_id, event_id, progress }: RecordedProgress) -> Self {
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

/// Result for an event.
#[derive(SimpleObject)]
pub struct PlayerEventResult {
    /// ID of the event, made by the player.
    client_event_id: EventId,
    /// ID of the recorded event. Null if it was refused.
    event_id: Option<Id>,
    /// Whether the event had been recorded before.
    duplicate: bool,
    /// Why the event was refused. Null if it was recorded.
    error: Option<InputError>,
}

impl PlayerEventResult {
    fn new(client_event_id: EventId, outcome: Result<Accepted, Refusal>, locale: Locale) -> Self {
        match outcome {
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
