//! The fields of one report. They have the names of the GraphQL inputs.

use std::borrow::Cow;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use domain::filter::parse_id;

use crate::telemetry::player_event::{Field, IncomingEvent, PROGRESS_TICK, Shape, known_source};
use crate::telemetry::refusal::{Reason, Refusal};

/// The raw value of a field.
#[derive(Clone, Copy, Debug)]
pub enum FieldValue<'a> {
    /// JSON. `null` means that the field is missing.
    Json(&'a str),
    /// The text of a form field. An empty text means that the field is missing.
    Form(&'a str),
}

/// Reads the fields. An unknown field is an error, since it may be a misspelled one that must not be lost.
pub fn read<'a>(
    fields: impl IntoIterator<Item = (String, FieldValue<'a>)>,
    shape: Shape,
) -> Result<IncomingEvent, Refusal> {
    let mut event = IncomingEvent::new(shape);
    if shape == Shape::Progress {
        event.event = Field::Value(PROGRESS_TICK.to_owned());
    }
    for (name, value) in fields {
        match (shape, name.as_str()) {
            (_, "clientEventId") => event.client_event_id = value.parsed(|text| text.parse().ok()),
            (_, "userId") => event.user_id = value.id(),
            (_, "lessonId") => event.lesson_id = value.id(),
            (Shape::Event, "event") => event.event = value.text(),
            (Shape::Event, "provider") => event.provider = value.text(),
            (Shape::Progress, "source") => {
                event.provider = value.parsed(|name| known_source(name).map(str::to_owned));
            }
            (Shape::Event, "playbackSeconds") | (Shape::Progress, "lastSecond") => {
                event.playback_seconds = value.number();
            }
            (_, "watchedSeconds") => event.watched_seconds = value.number(),
            (Shape::Event, "videoDuration") | (Shape::Progress, "duration") => {
                event.video_duration = value.number();
            }
            (_, "playbackRate") => event.playback_rate = value.number(),
            (Shape::Event, "contextTag") => event.context_tag = value.text(),
            (_, "metadata") => event.metadata = value.json(),
            (_, "recordedAt") => event.recorded_at = value.timestamp(),
            (Shape::Progress, "sentAt") => event.sent_at = value.timestamp(),
            (Shape::Event | Shape::Progress, _) => {
                return Err(Refusal { reason: Reason::UnknownField, field: Some(Cow::Owned(name)) });
            }
        }
    }
    match (shape, &event.client_event_id) {
        (Shape::Event, Field::Missing) => Err(Refusal::of("clientEventId", Reason::Missing)),
        (Shape::Event | Shape::Progress, _) => Ok(event),
    }
}

impl FieldValue<'_> {
    fn is_missing(self) -> bool {
        match self {
            Self::Json(json) => json == "null",
            Self::Form(text) => text.is_empty(),
        }
    }

    /// A string. Other types of JSON are unreadable.
    pub fn text(self) -> Field<String> {
        match self {
            missing if missing.is_missing() => Field::Missing,
            Self::Json(json) => Field::parsed(Some(serde_json::from_str(json).ok())),
            Self::Form(text) => Field::Value(text.to_owned()),
        }
    }

    fn parsed<T>(self, parse: impl FnOnce(&str) -> Option<T>) -> Field<T> {
        match self.text() {
            Field::Missing => Field::Missing,
            Field::Invalid => Field::Invalid,
            Field::Value(text) => Field::parsed(Some(parse(&text))),
        }
    }

    /// A number, or a string with a number.
    fn number<T: FromStr>(self) -> Field<T> {
        match self {
            Self::Json(json) if json.starts_with(|first: char| first == '-' || first.is_ascii_digit()) => {
                Field::parsed(Some(json.parse().ok()))
            }
            other => other.parsed(|text| text.parse().ok()),
        }
    }

    fn id(self) -> Field<i64> {
        match self {
            Self::Json(json) if json.starts_with(|first: char| first.is_ascii_digit()) => {
                Field::parsed(Some(parse_id(json).ok()))
            }
            other => other.parsed(|text| parse_id(text).ok()),
        }
    }

    /// An RFC 3339 timestamp.
    pub fn timestamp(self) -> Field<DateTime<Utc>> {
        self.parsed(|text| DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc()))
    }

    /// Unparsed JSON. The caller checks whether it is valid and can be stored.
    fn json(self) -> Field<String> {
        match self {
            missing if missing.is_missing() => Field::Missing,
            Self::Json(json) | Self::Form(json) => Field::Value(json.to_owned()),
        }
    }
}
