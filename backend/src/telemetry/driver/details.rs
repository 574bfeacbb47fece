//! What every service is told of an event, under names of ours.

use serde_json::Value;

use crate::models::telemetry_delivery::OwedEvent;

/// What there is to say of an event, apart from what identifies it to a service; nothing is null.
pub fn details(event: &OwedEvent) -> impl Iterator<Item = (String, Value)> {
    [
        ("event_uid", Some(format!("vpe-{}", event.id).into())),
        ("lesson_id", event.lesson_id.map(Value::from)),
        ("course_id", event.course_id.map(Value::from)),
        ("playback_seconds", Some(event.playback_seconds.into())),
        ("watched_seconds", Some(event.watched_seconds.into())),
        ("video_duration", event.video_duration.map(Value::from)),
        ("playback_rate", Some(event.playback_rate.into())),
        ("provider", event.provider.as_deref().map(Value::from)),
        ("context_tag", Some(event.context_tag.as_str().into())),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((key.to_owned(), value?)))
}
