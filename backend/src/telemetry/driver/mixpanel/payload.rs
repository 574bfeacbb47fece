//! The bodies of requests to Mixpanel.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use serde_json::Value;

use crate::config::telemetry::Guests;
use crate::telemetry::driver::OutgoingEvent;
use crate::telemetry::driver::properties::{Properties, PropertyValue, event_properties, truncate};

/// Maximum number of properties of an event. Mixpanel accepts fewer than 255.
const MAX_PROPERTIES: usize = 250;
/// Maximum length of a property's text, in characters. How Mixpanel truncates longer texts is not documented.
const MAX_TEXT_CHARS: usize = 255;
/// Maximum length of a property's name, in characters.
const MAX_NAME_CHARS: usize = 200;
/// How many levels of nested metadata become properties.
const MAX_DEPTH: usize = 3;

#[derive(Serialize)]
struct Event<'a> {
    event: &'a str,
    properties: Properties<'a>,
}

/// An event as JSON. Its identifying properties follow from its row alone, so they are the same each time it
/// is sent.
pub fn event(outgoing: &OutgoingEvent, token: &str, guests: Guests) -> Vec<u8> {
    let OutgoingEvent { event, idempotency_key, session: _ } = outgoing;
    let mut properties = event_properties(event);
    properties.insert("token".into(), token.into());
    let mut set = |name: &'static str, value: PropertyValue<'static>| properties.insert(name.into(), value);
    set("time", event.recorded_at.timestamp_millis().into());
    set("$insert_id", idempotency_key.to_string().into());
    // Otherwise Mixpanel would locate every viewer by the hub's IP address.
    set("ip", "0".into());
    let guest = || format!("guest-{}", event.id);
    match (event.user_id, guests) {
        (Some(user), Guests::Spec | Guests::Empty) => {
            set("distinct_id", user.to_string().into());
        }
        (Some(user), Guests::Device) => {
            set("distinct_id", user.to_string().into());
            set("$user_id", user.to_string().into());
        }
        (None, Guests::Spec) => {
            set("distinct_id", guest().into());
        }
        (None, Guests::Device) => {
            set("distinct_id", format!("$device:{}", guest()).into());
            set("$device_id", guest().into());
        }
        (None, Guests::Empty) => {
            set("distinct_id", "".into());
        }
    }
    if let Some(metadata) = &event.metadata {
        flatten("meta", metadata, MAX_DEPTH, &mut properties);
    }
    serde_json::to_vec(&Event { event: &event.event, properties })
        .expect("the event has only texts, numbers and booleans")
}

/// Adds a player's metadata under names with a prefix, so that it cannot override other properties.
fn flatten<'a>(path: &str, value: &'a Value, depth: usize, properties: &mut Properties<'a>) {
    let property = match value {
        Value::Object(members) if depth > 0 => {
            for (key, value) in members {
                let key: String =
                    key.chars().filter(|char| !char.is_control()).take(MAX_NAME_CHARS).collect();
                flatten(&format!("{path}_{key}"), value, depth - 1, properties);
            }
            return;
        }
        Value::Null => return,
        Value::Bool(value) => PropertyValue::Bool(*value),
        Value::Number(number) => PropertyValue::Number(number.clone()),
        Value::String(text) => truncate(text, MAX_TEXT_CHARS).into(),
        // Lists and objects that are nested too deep are kept as JSON text.
        Value::Object(_) | Value::Array(_) => truncate(&value.to_string(), MAX_TEXT_CHARS).to_owned().into(),
    };
    if properties.len() < MAX_PROPERTIES {
        properties.insert(truncate(path, MAX_NAME_CHARS).to_owned().into(), property);
    }
}

/// Compresses a request body with gzip.
pub fn compress(body: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    gzip.write_all(body).expect("writing to a Vec cannot fail");
    gzip.finish().expect("writing to a Vec cannot fail")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::telemetry::driver::tests::outgoing_event;

    fn parse_event(outgoing: &OutgoingEvent, guests: Guests) -> Value {
        serde_json::from_slice(&event(outgoing, "the token", guests)).unwrap()
    }

    #[test]
    fn an_event_has_its_identifying_properties() {
        insta::assert_json_snapshot!(parse_event(&outgoing_event(1093, Some(42)), Guests::Spec));
    }

    #[test]
    fn the_settings_decide_how_a_guest_is_identified() {
        let guest =
            |guests| parse_event(&outgoing_event(1093, None), guests)["properties"]["distinct_id"].clone();
        assert_eq!(guest(Guests::Spec), "guest-1093");
        assert_eq!(guest(Guests::Device), "$device:guest-1093");
        assert_eq!(guest(Guests::Empty), "");
    }

    #[test]
    fn metadata_cannot_override_other_properties() {
        let mut outgoing = outgoing_event(1093, Some(42));
        outgoing.event.metadata = Some(json!({
            "token": "forged", "distinct_id": "7", "time": 1, "$insert_id": "x", "deep": {"a": {"b": {"c": 1}}},
            "list": [1, 2], "none": null, "long": "ñ".repeat(400),
        }));
        let event = parse_event(&outgoing, Guests::Spec);
        let properties = &event["properties"];
        assert_eq!(properties["token"], "the token");
        assert_eq!(properties["distinct_id"], "42");
        assert_eq!(properties["meta_token"], "forged");
        assert_eq!(properties["meta_deep_a_b"], r#"{"c":1}"#);
        assert_eq!(properties["meta_list"], "[1,2]");
        assert_eq!(properties["meta_long"], "ñ".repeat(255));
        assert_eq!(properties.get("meta_none"), None);
    }
}
