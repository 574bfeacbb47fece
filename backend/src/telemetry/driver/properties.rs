//! The properties of an event that every service gets, under our own names.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Number;

use crate::models::telemetry_delivery::PendingEvent;

/// The properties of an event by name. They borrow from the event where possible, since they are built for
/// each event.
pub type Properties<'a> = BTreeMap<Cow<'a, str>, PropertyValue<'a>>;

/// The value of a property.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum PropertyValue<'a> {
    /// A text.
    Text(Cow<'a, str>),
    /// A number.
    Number(Number),
    /// A boolean.
    Bool(bool),
}

impl<'a> From<&'a str> for PropertyValue<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for PropertyValue<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<i64> for PropertyValue<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number.into())
    }
}

impl From<i32> for PropertyValue<'_> {
    fn from(number: i32) -> Self {
        Self::Number(number.into())
    }
}

/// The first `max_chars` characters of a text.
pub fn truncate(text: &str, max_chars: usize) -> &str {
    text.char_indices().nth(max_chars).map_or(text, |(end, _)| &text[..end])
}

/// The properties of an event, without those that identify it to a service. A property without a value is
/// left out.
pub fn event_properties(event: &PendingEvent) -> Properties<'_> {
    let playback_rate = Number::from_f64(event.playback_rate).map(PropertyValue::Number);
    let properties: [(&str, Option<PropertyValue<'_>>); 9] = [
        ("event_uid", Some(format!("vpe-{}", event.id).into())),
        ("lesson_id", event.lesson_id.map(PropertyValue::from)),
        ("course_id", event.course_id.map(PropertyValue::from)),
        ("playback_seconds", Some(event.playback_seconds.into())),
        ("watched_seconds", Some(event.watched_seconds.into())),
        ("video_duration", event.video_duration.map(PropertyValue::from)),
        ("playback_rate", playback_rate),
        ("provider", event.provider.as_deref().map(PropertyValue::from)),
        ("context_tag", Some(event.context_tag.as_str().into())),
    ];
    properties.into_iter().filter_map(|(name, value)| Some((Cow::Borrowed(name), value?))).collect()
}
