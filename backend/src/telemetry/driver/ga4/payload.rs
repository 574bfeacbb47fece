//! The bodies that Google Analytics gets.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;

use super::name;
use crate::config::telemetry::ClientIds;
use crate::telemetry::driver::Outgoing;
use crate::telemetry::driver::details::{Word, Words, cut, details};

/// Parameters of an event, at most.
const MOST_PARAMETERS: usize = 25;
/// The longest text of a parameter, in characters; what is longer is ignored by the service.
const LONGEST_TEXT: usize = 100;
/// How deep a player's own details are followed.
const DEPTH: usize = 3;

#[derive(Serialize)]
struct Body<'a> {
    client_id: String,
    events: Vec<Event<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
}

#[derive(Serialize)]
struct Event<'a> {
    name: Cow<'static, str>,
    params: Words<'a>,
    /// Beside the name and not among the parameters: only there it is heeded.
    timestamp_micros: i64,
}

/// The body for events of one client.
pub fn body(events: &[Outgoing], client_ids: ClientIds) -> Vec<u8> {
    let Some(first) = events.first() else { return Vec::new() };
    let body = Body {
        client_id: client_id(first, client_ids),
        events: events.iter().map(event).collect(),
        user_id: first.event.user_id.map(|user| user.to_string()),
    };
    serde_json::to_vec(&body).expect("texts and numbers are JSON")
}

/// Who an event is said to come from: two numbers with a dot between them.
///
/// By the founding document each event is a client of its own, `user.event`; or a viewer is one client, the one that the
/// page's own tag knows, if the player passed that on as `ga_client_id`.
pub fn client_id(outgoing: &Outgoing, mode: ClientIds) -> String {
    let event = &outgoing.event;
    match (event.user_id, mode) {
        (Some(user), ClientIds::Spec) => format!("{user}.{}", event.id),
        (Some(user), ClientIds::Stable) => tag_client_id(outgoing).unwrap_or_else(|| {
            let since = event.user_since.map_or(1, |since| since.timestamp().max(1));
            format!("{user}.{since}")
        }),
        (None, ClientIds::Stable | ClientIds::Spec) => match (mode, tag_client_id(outgoing)) {
            (ClientIds::Stable, Some(id)) => id,
            (ClientIds::Stable | ClientIds::Spec, _) => {
                format!("{}.{}", event.id, event.recorded_at.timestamp().max(1))
            }
        },
    }
}

fn tag_client_id(outgoing: &Outgoing) -> Option<String> {
    let id = outgoing.event.metadata.as_ref()?.get("ga_client_id")?.as_str()?;
    let (random, first_visit) = id.split_once('.')?;
    let number =
        |text: &str| (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    (number(random) && number(first_visit)).then(|| id.to_owned())
}

fn event(outgoing: &Outgoing) -> Event<'_> {
    Event {
        name: name::event(&outgoing.event.event),
        params: parameters(outgoing),
        timestamp_micros: outgoing.event.recorded_at.timestamp_micros(),
    }
}

fn parameters(Outgoing { event, session, uid: _ }: &Outgoing) -> Words<'_> {
    // Neither a provider nor a tag is as long as a text may be here.
    let mut parameters = details(event);
    let mut say = |name: &'static str, word: Word<'static>| parameters.insert(name.into(), word);
    let (began, watched) = session.map_or((event.recorded_at, 1), |of| (of.started_at, of.engagement_ms));
    say("session_id", began.timestamp().to_string().into());
    say("engagement_time_msec", watched.into());
    if event.maybe_duplicate {
        say("maybe_duplicate", 1.into());
    }
    parameters.insert("player_event".into(), cut(&event.event, LONGEST_TEXT).into());
    if let Some(metadata) = &event.metadata {
        flatten("", metadata, DEPTH, &mut parameters);
    }
    parameters
}

/// What a player said of its own accord, as far as there is room: only scalar values are taken.
fn flatten<'a>(path: &str, value: &'a Value, depth: usize, parameters: &mut Words<'a>) {
    let scalar = match value {
        Value::Object(members) if depth > 0 => {
            for (key, value) in members {
                let path = if path.is_empty() { key.clone() } else { format!("{path}_{key}") };
                flatten(&path, value, depth - 1, parameters);
            }
            return;
        }
        Value::Object(_) | Value::Array(_) | Value::Null => return,
        Value::Bool(yes) => i32::from(*yes).into(),
        Value::Number(number) => Word::Number(number.clone()),
        Value::String(said) => cut(said, LONGEST_TEXT).into(),
    };
    let key = name::parameter(if path.is_empty() { "value" } else { path });
    if parameters.len() < MOST_PARAMETERS && !parameters.contains_key(key.as_str()) {
        parameters.insert(key.into(), scalar);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::telemetry::driver::tests::outgoing;

    fn read(events: &[Outgoing], mode: ClientIds) -> Value {
        serde_json::from_slice(&body(events, mode)).unwrap()
    }

    #[test]
    fn an_event_is_told_with_its_client_its_time_and_its_session() {
        let body = read(&[outgoing(1093, Some(42))], ClientIds::Spec);
        insta::assert_json_snapshot!(body);
    }

    #[test]
    fn a_guest_is_a_client_without_a_user() {
        let body = read(&[outgoing(1093, None)], ClientIds::Spec);
        assert_eq!(body["client_id"], "1093.1800000000");
        assert_eq!(body.get("user_id"), None);
    }

    #[test]
    fn a_viewer_may_be_one_client() {
        let mut first = outgoing(1, Some(42));
        assert_eq!(
            client_id(&first, ClientIds::Stable),
            client_id(&outgoing(2, Some(42)), ClientIds::Stable)
        );
        first.event.metadata = Some(json!({"ga_client_id": "111.222"}));
        assert_eq!(client_id(&first, ClientIds::Stable), "111.222");
        first.event.metadata = Some(json!({"ga_client_id": "111.222 or so"}));
        assert_eq!(client_id(&first, ClientIds::Stable), "42.1700000000");
    }

    #[test]
    fn details_are_made_scalar_short_and_few() {
        let mut outgoing = outgoing(1, Some(42));
        let mut metadata = json!({
            "cta": "banner", "open": true, "none": null, "list": [1, 2], "deep": {"a": {"b": {"c": {"d": 1}}, "x": 2}},
            "Año-1": "ñ".repeat(300), "session_id": "forged",
        });
        for place in 0..30 {
            metadata[format!("z{place}")] = place.into();
        }
        outgoing.event.metadata = Some(metadata);
        let parameters = serde_json::to_value(parameters(&outgoing)).unwrap();
        let parameters = parameters.as_object().unwrap();
        assert_eq!(parameters.len(), MOST_PARAMETERS);
        assert_eq!(parameters["meta_cta"], "banner");
        assert_eq!(parameters["meta_open"], 1);
        assert_eq!(parameters["meta_deep_a_x"], 2);
        assert_eq!(parameters["meta_a_o_1"], "ñ".repeat(100));
        assert_eq!(parameters["session_id"], "1799999000", "a player cannot say what is ours to say");
        assert!(parameters.values().all(|value| value.is_string() || value.is_number()));
        assert!(!parameters.contains_key("meta_none") && !parameters.contains_key("meta_list"));
    }
}
