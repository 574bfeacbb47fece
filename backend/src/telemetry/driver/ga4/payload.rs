//! The bodies of requests to Google Analytics.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;

use super::name;
use crate::config::telemetry::ClientIds;
use crate::telemetry::driver::OutgoingEvent;
use crate::telemetry::driver::properties::{Properties, PropertyValue, event_properties, truncate};

/// Maximum number of parameters of an event.
const MAX_PARAMETERS: usize = 25;
/// Maximum length of a parameter's text, in characters. GA4 ignores longer texts.
const MAX_TEXT_CHARS: usize = 100;
/// How many levels of nested metadata become parameters.
const MAX_DEPTH: usize = 3;

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
    params: Properties<'a>,
    /// Next to the name, because GA4 ignores it among the parameters.
    timestamp_micros: i64,
}

/// Builds the body for events of one client.
pub fn body(events: &[OutgoingEvent], client_ids: ClientIds) -> Vec<u8> {
    let Some(first) = events.first() else { return Vec::new() };
    let body = Body {
        client_id: client_id(first, client_ids),
        events: events.iter().map(event).collect(),
        user_id: first.event.user_id.map(|user| user.to_string()),
    };
    serde_json::to_vec(&body).expect("the body has only texts and numbers")
}

/// The client id of an event: two numbers with a dot between them.
///
/// The specification makes each event its own client, `user.event`. In the other mode a viewer is one client.
/// Its id is that of the Google tag on the page if the player passed it on as `ga_client_id`.
pub fn client_id(outgoing: &OutgoingEvent, mode: ClientIds) -> String {
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

fn tag_client_id(outgoing: &OutgoingEvent) -> Option<String> {
    let id = outgoing.event.metadata.as_ref()?.get("ga_client_id")?.as_str()?;
    let (random, first_visit) = id.split_once('.')?;
    let is_number =
        |text: &str| (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(random) && is_number(first_visit)).then(|| id.to_owned())
}

fn event(outgoing: &OutgoingEvent) -> Event<'_> {
    Event {
        name: name::event(&outgoing.event.event),
        params: parameters(outgoing),
        timestamp_micros: outgoing.event.recorded_at.timestamp_micros(),
    }
}

fn parameters(OutgoingEvent { event, session, idempotency_key: _ }: &OutgoingEvent) -> Properties<'_> {
    // Providers and context tags are always shorter than MAX_TEXT_CHARS.
    let mut parameters = event_properties(event);
    let mut set = |name: &'static str, value: PropertyValue<'static>| parameters.insert(name.into(), value);
    let (started_at, engagement_ms) =
        session.map_or((event.recorded_at, 1), |session| (session.started_at, session.engagement_ms));
    set("session_id", started_at.timestamp().to_string().into());
    set("engagement_time_msec", engagement_ms.into());
    if event.maybe_duplicate {
        set("maybe_duplicate", 1.into());
    }
    parameters.insert("player_event".into(), truncate(&event.event, MAX_TEXT_CHARS).into());
    if let Some(metadata) = &event.metadata {
        flatten("", metadata, MAX_DEPTH, &mut parameters);
    }
    parameters
}

/// Adds the scalar values of a player's metadata, up to the maximum number of parameters.
fn flatten<'a>(path: &str, value: &'a Value, depth: usize, parameters: &mut Properties<'a>) {
    let scalar = match value {
        Value::Object(members) if depth > 0 => {
            for (key, value) in members {
                let path = if path.is_empty() { key.clone() } else { format!("{path}_{key}") };
                flatten(&path, value, depth - 1, parameters);
            }
            return;
        }
        Value::Object(_) | Value::Array(_) | Value::Null => return,
        Value::Bool(value) => i32::from(*value).into(),
        Value::Number(number) => PropertyValue::Number(number.clone()),
        Value::String(text) => truncate(text, MAX_TEXT_CHARS).into(),
    };
    let key = name::parameter(if path.is_empty() { "value" } else { path });
    if parameters.len() < MAX_PARAMETERS && !parameters.contains_key(key.as_str()) {
        parameters.insert(key.into(), scalar);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::telemetry::driver::tests::outgoing_event;

    fn parse_body(events: &[OutgoingEvent], mode: ClientIds) -> Value {
        serde_json::from_slice(&body(events, mode)).unwrap()
    }

    #[test]
    fn an_event_has_a_client_a_timestamp_and_a_session() {
        let body = parse_body(&[outgoing_event(1093, Some(42))], ClientIds::Spec);
        insta::assert_json_snapshot!(body);
    }

    #[test]
    fn a_guest_is_a_client_without_a_user() {
        let body = parse_body(&[outgoing_event(1093, None)], ClientIds::Spec);
        assert_eq!(body["client_id"], "1093.1800000000");
        assert_eq!(body.get("user_id"), None);
    }

    #[test]
    fn a_viewer_can_be_one_client() {
        let mut first = outgoing_event(1, Some(42));
        assert_eq!(
            client_id(&first, ClientIds::Stable),
            client_id(&outgoing_event(2, Some(42)), ClientIds::Stable)
        );
        first.event.metadata = Some(json!({"ga_client_id": "111.222"}));
        assert_eq!(client_id(&first, ClientIds::Stable), "111.222");
        first.event.metadata = Some(json!({"ga_client_id": "111.222 or so"}));
        assert_eq!(client_id(&first, ClientIds::Stable), "42.1700000000");
    }

    #[test]
    fn metadata_becomes_a_limited_number_of_short_scalar_parameters() {
        let mut outgoing = outgoing_event(1, Some(42));
        let mut metadata = json!({
            "cta": "banner", "open": true, "none": null, "list": [1, 2], "deep": {"a": {"b": {"c": {"d": 1}}, "x": 2}},
            "Año-1": "ñ".repeat(300), "session_id": "forged",
        });
        for number in 0..30 {
            metadata[format!("z{number}")] = number.into();
        }
        outgoing.event.metadata = Some(metadata);
        let parameters = serde_json::to_value(parameters(&outgoing)).unwrap();
        let parameters = parameters.as_object().unwrap();
        assert_eq!(parameters.len(), MAX_PARAMETERS);
        assert_eq!(parameters["meta_cta"], "banner");
        assert_eq!(parameters["meta_open"], 1);
        assert_eq!(parameters["meta_deep_a_x"], 2);
        assert_eq!(parameters["meta_a_o_1"], "ñ".repeat(100));
        assert_eq!(parameters["session_id"], "1799999000", "metadata must not override our own parameters");
        assert!(parameters.values().all(|value| value.is_string() || value.is_number()));
        assert!(!parameters.contains_key("meta_none") && !parameters.contains_key("meta_list"));
    }
}
