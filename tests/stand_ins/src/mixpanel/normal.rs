//! An event as Mixpanel keeps it: its time told in milliseconds, its user found, its texts cut.

use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::store::NewEvent;
use super::{Circumstances, rules};
use crate::verdict::Flag;

/// The longest text. Source: "Limits"; in one place characters, in another bytes.
const TEXT: usize = 255;

/// Readies an event that passed; `at` is its time.
pub(super) fn event(event: &Value, at: DateTime<Utc>, project: &str, around: Circumstances<'_>) -> NewEvent {
    let mut flags = Vec::new();
    let mut properties = event.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let at = if at > around.now {
        flags.push(Flag::Future);
        around.now
    } else {
        at
    };
    let distinct_id = distinct_id(&properties).unwrap_or_else(|| {
        flags.push(Flag::DistinctIdFromAddress);
        let mut hasher = DefaultHasher::new();
        around.peer.hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    });
    let insert_id = properties.get("$insert_id").and_then(Value::as_str);
    let insert_id = insert_id.filter(|id| rules::is_insert_id(id)).map(str::to_owned);
    if insert_id.is_none() {
        flags.push(Flag::InsertIdMade);
    }
    let event_uid = properties.get("event_uid").and_then(Value::as_str).map(str::to_owned);
    if properties.values_mut().filter_map(cut).count() > 0 {
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

/// The user as sent, or as the simplified merge of ids derives one.
fn distinct_id(properties: &Map<String, Value>) -> Option<String> {
    let text = |name: &str| properties.get(name).and_then(Value::as_str);
    let sent = text("distinct_id").or_else(|| text("$user_id")).map(str::to_owned);
    sent.or_else(|| text("$device_id").map(|device| format!("$device:{device}")))
}

/// Cuts a text that is too long.
fn cut(value: &mut Value) -> Option<()> {
    let Value::String(text) = value else { return None };
    let (end, _) = text.char_indices().nth(TEXT)?;
    text.truncate(end);
    Some(())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::json;

    use super::*;
    use crate::config::MixpanelConfig;

    fn normal(properties: &Value, at: DateTime<Utc>, now: DateTime<Utc>) -> NewEvent {
        let config = MixpanelConfig::default();
        let around = Circumstances { now, peer: [127, 0, 0, 1].into(), config: &config, poison: None };
        event(&json!({"event": "play", "properties": properties}), at, "1", around)
    }

    #[test]
    fn long_texts_are_cut_and_the_near_future_becomes_now() {
        let now = "2026-03-10T12:00:00Z".parse().unwrap();
        let properties = json!({"distinct_id": "42", "$insert_id": "a", "title": "ñ".repeat(256)});
        let new = normal(&properties, now + TimeDelta::minutes(59), now);
        assert_eq!(new.time_millis, now.timestamp_millis());
        assert_eq!(new.properties["title"], "ñ".repeat(255));
        assert_eq!(new.flags, [Flag::Future, Flag::TextCut]);
    }

    #[test]
    fn merged_ids_stand_in_for_a_distinct_id() {
        let now = DateTime::UNIX_EPOCH;
        let id = |properties: Value| normal(&properties, now, now).distinct_id;
        assert_eq!(id(json!({"$user_id": "42", "$device_id": "d"})), "42");
        assert_eq!(id(json!({"$device_id": "d"})), "$device:d");
        assert_eq!(id(json!({"distinct_id": ""})), "");
        assert_eq!(id(json!({})), id(json!({})), "the same address is the same user");
    }
}
