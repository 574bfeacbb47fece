//! The fields of one report, by their names in the GraphQL inputs.

use std::borrow::Cow;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use domain::filter::parse_id;

use crate::telemetry::player_event::{Field, PROGRESS_TICK, SentEvent, Shape, known_source};
use crate::telemetry::refusal::{Reason, Refusal};

/// A value as it stands in the body.
#[derive(Clone, Copy, Debug)]
pub enum Sent<'a> {
    /// JSON, where numbers are numbers and what is not there is null.
    Json(&'a str),
    /// Text of a form, where what was left empty is not there.
    Form(&'a str),
}

/// Reads the fields; one that is not known may be a known one misspelt, so nothing is recorded without it.
pub fn read<'a>(
    fields: impl IntoIterator<Item = (String, Sent<'a>)>,
    shape: Shape,
) -> Result<SentEvent, Refusal> {
    let mut sent = SentEvent::new(shape);
    if shape == Shape::Progress {
        sent.event = Field::Is(PROGRESS_TICK.to_owned());
    }
    for (name, value) in fields {
        match (shape, name.as_str()) {
            (_, "clientEventId") => sent.client_event_id = value.parsed(|text| text.parse().ok()),
            (_, "userId") => sent.user_id = value.id(),
            (_, "lessonId") => sent.lesson_id = value.id(),
            (Shape::Event, "event") => sent.event = value.text(),
            (Shape::Event, "provider") => sent.provider = value.text(),
            (Shape::Progress, "source") => {
                sent.provider = value.parsed(|name| known_source(name).map(str::to_owned));
            }
            (Shape::Event, "playbackSeconds") | (Shape::Progress, "lastSecond") => {
                sent.playback_seconds = value.number();
            }
            (_, "watchedSeconds") => sent.watched_seconds = value.number(),
            (Shape::Event, "videoDuration") | (Shape::Progress, "duration") => {
                sent.video_duration = value.number();
            }
            (_, "playbackRate") => sent.playback_rate = value.number(),
            (Shape::Event, "contextTag") => sent.context_tag = value.text(),
            (_, "metadata") => sent.metadata = value.json(),
            (_, "recordedAt") => sent.recorded_at = value.moment(),
            (Shape::Progress, "sentAt") => sent.sent_at = value.moment(),
            (Shape::Event | Shape::Progress, _) => {
                return Err(Refusal { reason: Reason::UnknownField, field: Some(Cow::Owned(name)) });
            }
        }
    }
    match (shape, &sent.client_event_id) {
        (Shape::Event, Field::Missing) => Err(Refusal::of("clientEventId", Reason::Missing)),
        (Shape::Event | Shape::Progress, _) => Ok(sent),
    }
}

impl Sent<'_> {
    fn is_missing(self) -> bool {
        match self {
            Self::Json(json) => json == "null",
            Self::Form(text) => text.is_empty(),
        }
    }

    /// A text; whatever else it is in JSON cannot be read as one.
    pub fn text(self) -> Field<String> {
        match self {
            missing if missing.is_missing() => Field::Missing,
            Self::Json(json) => Field::sent(Some(serde_json::from_str(json).ok())),
            Self::Form(text) => Field::Is(text.to_owned()),
        }
    }

    fn parsed<T>(self, parse: impl FnOnce(&str) -> Option<T>) -> Field<T> {
        match self.text() {
            Field::Missing => Field::Missing,
            Field::Unreadable => Field::Unreadable,
            Field::Is(text) => Field::sent(Some(parse(&text))),
        }
    }

    /// A number, bare or as text.
    fn number<T: FromStr>(self) -> Field<T> {
        match self {
            Self::Json(json) if json.starts_with(|first: char| first == '-' || first.is_ascii_digit()) => {
                Field::sent(Some(json.parse().ok()))
            }
            other => other.parsed(|text| text.parse().ok()),
        }
    }

    fn id(self) -> Field<i64> {
        match self {
            Self::Json(json) if json.starts_with(|first: char| first.is_ascii_digit()) => {
                Field::sent(Some(parse_id(json).ok()))
            }
            other => other.parsed(|text| parse_id(text).ok()),
        }
    }

    /// A moment.
    pub fn moment(self) -> Field<DateTime<Utc>> {
        self.parsed(|text| DateTime::parse_from_rfc3339(text).ok().map(|moment| moment.to_utc()))
    }

    /// JSON as it stands; whoever stores it has to look whether it can be.
    fn json(self) -> Field<String> {
        match self {
            missing if missing.is_missing() => Field::Missing,
            Self::Json(json) | Self::Form(json) => Field::Is(json.to_owned()),
        }
    }
}
