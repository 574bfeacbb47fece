//! The fields of one report. They have the names of the GraphQL inputs.

use crate::field::Field;
use crate::http::field_value::FieldValue;
use crate::telemetry::player_event::{IncomingEvent, PROGRESS_TICK, Shape, known_source};
use crate::telemetry::refusal::{Reason, Refusal};

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
                return Err(Refusal::of_unknown_field(name, Reason::UnknownField));
            }
        }
    }
    match (shape, &event.client_event_id) {
        (Shape::Event, Field::Missing) => Err(Refusal::of("clientEventId", Reason::Missing)),
        (Shape::Event | Shape::Progress, _) => Ok(event),
    }
}
