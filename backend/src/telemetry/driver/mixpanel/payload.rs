//! What Mixpanel is told of an event.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use serde_json::Value;

use crate::config::telemetry::Guests;
use crate::telemetry::driver::Outgoing;
use crate::telemetry::driver::details::{Word, Words, cut, details};

/// Properties of an event, at most; the service takes fewer than 255.
const MOST_PROPERTIES: usize = 250;
/// The longest text of a property, in characters; the service cuts longer ones in ways that it does not tell.
const LONGEST_TEXT: usize = 255;
/// The longest name of a property.
const LONGEST_NAME: usize = 200;
/// How deep a player's own details are followed.
const DEPTH: usize = 3;

#[derive(Serialize)]
struct Event<'a> {
    event: &'a str,
    properties: Words<'a>,
}

/// An event as JSON. What identifies it is made of its row alone, so that it is the same however often it is sent.
pub fn event(outgoing: &Outgoing, token: &str, guests: Guests) -> Vec<u8> {
    let Outgoing { event, uid, session: _ } = outgoing;
    let mut properties = details(event);
    properties.insert("token".into(), token.into());
    let mut say = |name: &'static str, word: Word<'static>| properties.insert(name.into(), word);
    say("time", event.recorded_at.timestamp_millis().into());
    say("$insert_id", uid.to_string().into());
    // Without this every viewer would be where the hub is.
    say("ip", "0".into());
    let guest = || format!("guest-{}", event.id);
    match (event.user_id, guests) {
        (Some(user), Guests::Spec | Guests::Empty) => {
            say("distinct_id", user.to_string().into());
        }
        (Some(user), Guests::Device) => {
            say("distinct_id", user.to_string().into());
            say("$user_id", user.to_string().into());
        }
        (None, Guests::Spec) => {
            say("distinct_id", guest().into());
        }
        (None, Guests::Device) => {
            say("distinct_id", format!("$device:{}", guest()).into());
            say("$device_id", guest().into());
        }
        (None, Guests::Empty) => {
            say("distinct_id", "".into());
        }
    }
    if let Some(metadata) = &event.metadata {
        flatten("meta", metadata, DEPTH, &mut properties);
    }
    serde_json::to_vec(&Event { event: &event.event, properties }).expect("texts and numbers are JSON")
}

/// What a player said of its own accord, each thing under a name of its own, so that it can pass for nothing else.
fn flatten<'a>(path: &str, value: &'a Value, depth: usize, properties: &mut Words<'a>) {
    let word = match value {
        Value::Object(members) if depth > 0 => {
            for (key, value) in members {
                let key: String = key.chars().filter(|char| !char.is_control()).take(LONGEST_NAME).collect();
                flatten(&format!("{path}_{key}"), value, depth - 1, properties);
            }
            return;
        }
        Value::Null => return,
        Value::Bool(yes) => Word::Flag(*yes),
        Value::Number(number) => Word::Number(number.clone()),
        Value::String(said) => cut(said, LONGEST_TEXT).into(),
        // Of lists and of what lies deeper the text is kept.
        Value::Object(_) | Value::Array(_) => cut(&value.to_string(), LONGEST_TEXT).to_owned().into(),
    };
    if properties.len() < MOST_PROPERTIES {
        properties.insert(cut(path, LONGEST_NAME).to_owned().into(), word);
    }
}

/// A body on its way.
pub fn compressed(body: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    gzip.write_all(body).expect("memory takes everything");
    gzip.finish().expect("memory takes everything")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::telemetry::driver::tests::outgoing;

    fn read(outgoing: &Outgoing, guests: Guests) -> Value {
        serde_json::from_slice(&event(outgoing, "the token", guests)).unwrap()
    }

    #[test]
    fn an_event_is_told_with_all_that_identifies_it() {
        insta::assert_json_snapshot!(read(&outgoing(1093, Some(42)), Guests::Spec));
    }

    #[test]
    fn a_guest_is_who_the_settings_say() {
        let guest = |guests| read(&outgoing(1093, None), guests)["properties"]["distinct_id"].clone();
        assert_eq!(guest(Guests::Spec), "guest-1093");
        assert_eq!(guest(Guests::Device), "$device:guest-1093");
        assert_eq!(guest(Guests::Empty), "");
    }

    #[test]
    fn details_cannot_pass_for_anything_else() {
        let mut outgoing = outgoing(1093, Some(42));
        outgoing.event.metadata = Some(json!({
            "token": "forged", "distinct_id": "7", "time": 1, "$insert_id": "x", "deep": {"a": {"b": {"c": 1}}},
            "list": [1, 2], "none": null, "long": "ñ".repeat(400),
        }));
        let told = read(&outgoing, Guests::Spec);
        let properties = &told["properties"];
        assert_eq!(properties["token"], "the token");
        assert_eq!(properties["distinct_id"], "42");
        assert_eq!(properties["meta_token"], "forged");
        assert_eq!(properties["meta_deep_a_b"], r#"{"c":1}"#);
        assert_eq!(properties["meta_list"], "[1,2]");
        assert_eq!(properties["meta_long"], "ñ".repeat(255));
        assert_eq!(properties.get("meta_none"), None);
    }
}
