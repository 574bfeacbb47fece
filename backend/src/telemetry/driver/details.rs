//! What every service is told of an event, under names of ours.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Number;

use crate::models::telemetry_delivery::PendingEvent;

/// What is said of an event, by name. Most of it stands somewhere already and is not copied: it is made for each of very
/// many events.
pub type Words<'a> = BTreeMap<Cow<'a, str>, Word<'a>>;

/// A single value.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Word<'a> {
    /// A text.
    Text(Cow<'a, str>),
    /// A number.
    Number(Number),
    /// Yes or no.
    Flag(bool),
}

impl<'a> From<&'a str> for Word<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Word<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<i64> for Word<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number.into())
    }
}

impl From<i32> for Word<'_> {
    fn from(number: i32) -> Self {
        Self::Number(number.into())
    }
}

/// The beginning of a text, in characters.
pub fn cut(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(end, _)| &text[..end])
}

/// What there is to say of an event, apart from what identifies it to a service; nothing is null.
pub fn details(event: &PendingEvent) -> Words<'_> {
    let playback_rate = Number::from_f64(event.playback_rate).map(Word::Number);
    let words: [(&str, Option<Word<'_>>); 9] = [
        ("event_uid", Some(format!("vpe-{}", event.id).into())),
        ("lesson_id", event.lesson_id.map(Word::from)),
        ("course_id", event.course_id.map(Word::from)),
        ("playback_seconds", Some(event.playback_seconds.into())),
        ("watched_seconds", Some(event.watched_seconds.into())),
        ("video_duration", event.video_duration.map(Word::from)),
        ("playback_rate", playback_rate),
        ("provider", event.provider.as_deref().map(Word::from)),
        ("context_tag", Some(event.context_tag.as_str().into())),
    ];
    words.into_iter().filter_map(|(name, word)| Some((Cow::Borrowed(name), word?))).collect()
}
