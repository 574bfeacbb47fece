//! Normalizes an event before it is stored: its time in milliseconds, its user, and the length of its texts.

use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::store::NewEvent;
use super::{RequestContext, rules};
use crate::outcome::Flag;

/// Maximum length of a text, in characters. Source: "Limits", which in another place counts bytes.
const MAX_TEXT_CHARS: usize = 255;

/// Normalizes a valid event. `at` is its time.
pub(super) fn event(
    event: &Value,
    at: DateTime<Utc>,
    project: &str,
    context: RequestContext<'_>,
) -> NewEvent {
    let mut flags = Vec::new();
    let mut properties = event.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let at = if at > context.now {
        flags.push(Flag::Future);
        context.now
    } else {
        at
    };
    let distinct_id = distinct_id(&properties).unwrap_or_else(|| {
        flags.push(Flag::DistinctIdFromAddress);
        let mut hasher = DefaultHasher::new();
        context.peer.hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    });
    let insert_id = properties.get("$insert_id").and_then(Value::as_str);
    let insert_id = insert_id.filter(|id| rules::is_insert_id(id)).map(str::to_owned);
    if insert_id.is_none() {
        flags.push(Flag::InsertIdMade);
    }
    let event_uid = properties.get("event_uid").and_then(Value::as_str).map(str::to_owned);
    if properties.values_mut().filter_map(truncate).count() > 0 {
        flags.push(Flag::TextCut);
    }
    NewEvent {
        project: project.to_owned(),
        event: event.get("event").and_then(Value::as_str).unwrap_or_default().to_owned(),
        distinct_id,
        time_millis: at.timestamp_millis(),
        insert_id,
        event_uid,
        flags,
        properties,
    }
}

/// The `distinct_id` as sent, or as derived from other ids ("simplified ID merge").
fn distinct_id(properties: &Map<String, Value>) -> Option<String> {
    let text = |name: &str| properties.get(name).and_then(Value::as_str);
    let sent = text("distinct_id").or_else(|| text("$user_id")).map(str::to_owned);
    sent.or_else(|| text("$device_id").map(|device| format!("$device:{device}")))
}

/// Truncates a text that is too long.
fn truncate(value: &mut Value) -> Option<()> {
    let Value::String(text) = value else { return None };
    let (end, _) = text.char_indices().nth(MAX_TEXT_CHARS)?;
    text.truncate(end);
    Some(())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::json;

    use super::*;
    use crate::config::MixpanelConfig;

    fn normalize(properties: &Value, at: DateTime<Utc>, now: DateTime<Utc>) -> NewEvent {
        let config = MixpanelConfig::default();
        let context = RequestContext { now, peer: [127, 0, 0, 1].into(), config: &config, failing: None };
        event(&json!({"event": "play", "properties": properties}), at, "1", context)
    }

    #[test]
    fn long_texts_are_truncated_and_the_near_future_becomes_now() {
        let now = "2026-03-10T12:00:00Z".parse().unwrap();
        let properties = json!({"distinct_id": "42", "$insert_id": "a", "title": "ñ".repeat(256)});
        let new = normalize(&properties, now + TimeDelta::minutes(59), now);
        assert_eq!(new.time_millis, now.timestamp_millis());
        assert_eq!(new.properties["title"], "ñ".repeat(255));
        assert_eq!(new.flags, [Flag::Future, Flag::TextCut]);
    }

    #[test]
    fn a_missing_distinct_id_is_derived_from_other_ids() {
        let now = DateTime::UNIX_EPOCH;
        let id = |properties: Value| normalize(&properties, now, now).distinct_id;
        assert_eq!(id(json!({"$user_id": "42", "$device_id": "d"})), "42");
        assert_eq!(id(json!({"$device_id": "d"})), "$device:d");
        assert_eq!(id(json!({"distinct_id": ""})), "");
        assert_eq!(id(json!({})), id(json!({})), "the same address is the same user");
    }
}
