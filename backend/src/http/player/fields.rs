//! The fields of one report, by their names in the GraphQL inputs.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use domain::filter::parse_id;
use serde_json::{Map, Value};

use crate::telemetry::player_event::{Field, PROGRESS_TICK, SentEvent, Shape};
use crate::telemetry::refusal::{Reason, Refusal};

/// Where values come from, which decides how they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// JSON, where numbers are numbers.
    Json,
    /// A form, where everything is text and what was left empty is not there.
    Form,
}

/// Reads the fields; one that is not known may be a known one misspelt, so nothing is recorded without it.
pub fn read(fields: Map<String, Value>, shape: Shape, origin: Origin) -> Result<SentEvent, Refusal> {
    let mut sent = SentEvent::new(shape);
    if shape == Shape::Progress {
        sent.event = Field::Is(PROGRESS_TICK.to_owned());
    }
    for (name, value) in fields {
        match (shape, name.as_str()) {
            (_, "clientEventId") => sent.client_event_id = text(value, |text| text.parse().ok()),
            (_, "userId") => sent.user_id = id(value),
            (_, "lessonId") => sent.lesson_id = id(value),
            (Shape::Event, "event") => sent.event = text(value, Some),
            (Shape::Event, "provider") => sent.provider = text(value, Some),
            (Shape::Progress, "source") => sent.provider = text(value, |name| source(&name)),
            (Shape::Event, "playbackSeconds") | (Shape::Progress, "lastSecond") => {
                sent.playback_seconds = seconds(&value);
            }
            (_, "watchedSeconds") => sent.watched_seconds = seconds(&value),
            (Shape::Event, "videoDuration") | (Shape::Progress, "duration") => {
                sent.video_duration = seconds(&value);
            }
            (_, "playbackRate") => sent.playback_rate = rate(&value),
            (Shape::Event, "contextTag") => sent.context_tag = text(value, Some),
            (_, "metadata") => sent.metadata = metadata(value, origin),
            (_, "recordedAt") => sent.recorded_at = text(value, |text| moment(&text)),
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

fn is_blank(value: &Value) -> bool {
    matches!(value, Value::Null) || value.as_str().is_some_and(str::is_empty)
}

fn text<T>(value: Value, read: impl FnOnce(String) -> Option<T>) -> Field<T> {
    match value {
        value if is_blank(&value) => Field::Missing,
        Value::String(text) => Field::sent(Some(read(text))),
        _ => Field::Unreadable,
    }
}

fn id(value: Value) -> Field<i64> {
    match value {
        Value::Number(number) => Field::sent(Some(parse_id(&number.to_string()).ok())),
        other => text(other, |text| parse_id(&text).ok()),
    }
}

fn seconds(value: &Value) -> Field<i32> {
    number(value, |value| value.as_i64().and_then(|number| i32::try_from(number).ok()))
}

fn rate(value: &Value) -> Field<f64> {
    number(value, Value::as_f64)
}

fn number<T: std::str::FromStr>(value: &Value, read: impl FnOnce(&Value) -> Option<T>) -> Field<T> {
    match value {
        value if is_blank(value) => Field::Missing,
        Value::String(text) => Field::sent(Some(text.parse().ok())),
        value => Field::sent(Some(read(value))),
    }
}

fn metadata(value: Value, origin: Origin) -> Field<String> {
    match (origin, value) {
        (_, Value::Null) => Field::Missing,
        (Origin::Form, Value::String(json)) if json.is_empty() => Field::Missing,
        (Origin::Form, Value::String(json)) => Field::Is(json),
        (Origin::Form | Origin::Json, value) => Field::Is(value.to_string()),
    }
}

fn source(name: &str) -> Option<String> {
    let name = name.to_ascii_lowercase();
    matches!(name.as_str(), "vimeo" | "cloudflare" | "youtube").then_some(name)
}

fn moment(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|moment| moment.to_utc())
}
