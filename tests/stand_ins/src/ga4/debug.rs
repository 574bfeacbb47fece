//! `/debug/mp/collect`: says what is wrong with a request, and stores nothing.
//!
//! It checks neither the secret nor the measurement id. Source: "Validate events"; the wording of the messages is what
//! was seen of it, and where nothing was seen an assumption.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::{Value, json};

use super::body::{Body, field, whole_number};
use super::param;
use super::rules::{self, EVENTS, NameFault, PARAMS, PAST_HOURS, StreamKind};
use crate::http::{Head, Response};

/// The codes that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Code {
    ValueInvalid,
    ValueRequired,
    NameInvalid,
    NameReserved,
    ValueOutOfBounds,
    ExceededMaxEntities,
    NameDuplicated,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    #[serde(skip_serializing_if = "String::is_empty")]
    field_path: String,
    description: String,
    validation_code: Code,
}

/// The answer, always with status 200.
pub(super) fn answer(head: &Head, body: &Body, now: DateTime<Utc>) -> Response {
    Response::json(200, &json!({"validationMessages": messages(head, body, now)}))
}

fn messages(head: &Head, body: &Body, now: DateTime<Utc>) -> Vec<Message> {
    let mut found = Vec::new();
    let mut tell = |path: &str, code, description: String| {
        found.push(Message { field_path: path.to_owned(), description, validation_code: code });
    };
    if !body.is_json() {
        tell("", Code::ValueInvalid, "Unable to parse Measurement Protocol JSON payload.".to_owned());
        return found;
    }
    let kind = if head.query_value("firebase_app_id").is_some() { StreamKind::App } else { StreamKind::Web };
    let (client, stream) = match kind {
        StreamKind::Web => ("client_id", "measurement_id"),
        StreamKind::App => ("app_instance_id", "firebase_app_id"),
    };
    for parameter in [stream, "api_secret"] {
        if head.query_value(parameter).is_none_or(|value| value.is_empty()) {
            let description = format!("Unable to find non-empty parameter [{parameter}] value in request.");
            tell(parameter, Code::ValueRequired, description);
        }
    }
    match body.text(client) {
        None => tell(client, Code::ValueRequired, format!("Measurement requires a {client}.")),
        Some(id) if kind == StreamKind::Web && body.enforces_recommendations() => {
            if !rules::is_recommended_client_id(id) {
                let description = format!(
                    "Measurement has invalid client_id [{id}]: two positive numbers with a dot between are expected."
                );
                tell(client, Code::ValueInvalid, description);
            }
        }
        Some(_) => {}
    }
    for name in param::bad_user_properties(body.field("user_properties")) {
        let code = if rules::property_name(&name) == Some(NameFault::Reserved) {
            Code::NameReserved
        } else if rules::property_name(&name).is_some() {
            Code::NameInvalid
        } else {
            Code::ValueInvalid
        };
        tell("user_properties", code, format!("Measurement has invalid user property [{name}]."));
    }
    match body.events().len() {
        0 => tell("events", Code::ValueRequired, "Measurement requires at least one event.".to_owned()),
        count if count > EVENTS => {
            let description = format!("Measurement has [{count}] events, more than the [{EVENTS}] allowed.");
            tell("events", Code::ExceededMaxEntities, description);
        }
        _ => {}
    }
    for (index, event) in body.events().iter().enumerate() {
        event_messages(index, event, kind, &mut tell);
        if body.enforces_recommendations() {
            enforced_messages(index, event, body, now, &mut tell);
        }
    }
    found
}

fn event_messages(index: usize, event: &Value, kind: StreamKind, tell: &mut impl FnMut(&str, Code, String)) {
    let name = event.get("name").and_then(Value::as_str).unwrap_or_default();
    let bad = |rest: &str| format!("Event at index: [{index}] has invalid name [{name}]. {rest}");
    match rules::event_name(name, kind) {
        None => {}
        Some(NameFault::Empty) => {
            tell("events", Code::ValueRequired, format!("Event at index: [{index}] has no name."));
        }
        // What was seen of names that begin with an underscore is this, and not that they are reserved.
        Some(NameFault::Reserved) if !name.starts_with('_') => {
            let description = format!("Event at index: [{index}] has name [{name}] which is reserved.");
            tell("events", Code::NameReserved, description);
        }
        Some(NameFault::FirstNotALetter | NameFault::Reserved) => {
            tell("events", Code::NameInvalid, bad("Names must start with an alphabetic character."));
        }
        Some(NameFault::OddCharacter) => {
            tell(
                "events",
                Code::NameInvalid,
                bad("Only alphanumeric characters and underscores are allowed."),
            );
        }
        Some(NameFault::TooLong) => {
            tell("events", Code::NameInvalid, bad("Names must be 40 characters or fewer."));
        }
    }
    let Some(params) = event.get("params").and_then(Value::as_object) else { return };
    if params.len() > PARAMS {
        let description = format!(
            "Event at index: [{index}] has [{}] parameters, more than the [{PARAMS}] allowed.",
            params.len()
        );
        tell("events.params", Code::ExceededMaxEntities, description);
    }
    for (param, value) in params {
        let of = format!("Event at index: [{index}] has invalid parameter [{param}].");
        let unlike = (param != "items" && value.is_array()) || value.is_null() || value.is_object();
        let length = value.as_str().map_or(0, |text| text.chars().count());
        match rules::param_name(param) {
            Some(NameFault::Reserved) => {
                tell("events.params", Code::NameReserved, format!("{of} The name is reserved."))
            }
            Some(_) => tell(
                "events.params",
                Code::NameInvalid,
                format!("{of} Only alphanumeric characters and underscores are allowed."),
            ),
            None if unlike => {
                tell("events.params", Code::ValueInvalid, format!("{of} A text or a number is expected."))
            }
            None if length > rules::value_limit(param) => {
                tell("events.params", Code::ValueOutOfBounds, format!("{of} The value is too long."));
            }
            None => {}
        }
        let in_either_case = params.keys().filter(|other| other.eq_ignore_ascii_case(param)).count();
        if in_either_case > 1 {
            tell("events.params", Code::NameDuplicated, format!("{of} The name occurs more than once."));
        }
    }
}

/// What only enforced recommendations find: times that are no numbers or lie too far back.
fn enforced_messages(
    index: usize,
    event: &Value,
    body: &Body,
    now: DateTime<Utc>,
    tell: &mut impl FnMut(&str, Code, String),
) {
    let own = event.as_object().and_then(|fields| field(fields, "timestamp_micros"));
    let Some(told) = own.or_else(|| body.field("timestamp_micros")) else { return };
    let path = "events.timestamp_micros";
    match whole_number(told).and_then(DateTime::from_timestamp_micros) {
        None => {
            let description = format!("Event at index: [{index}] has invalid timestamp_micros [{told}].");
            tell(path, Code::ValueInvalid, description);
        }
        Some(time) if time < now - TimeDelta::hours(PAST_HOURS) => {
            let description = format!(
                "Event at index: [{index}] has timestamp_micros [{told}], more than 72 hours in the past."
            );
            tell(path, Code::ValueOutOfBounds, description);
        }
        Some(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(body: &Value) -> Vec<Code> {
        let head = Head { query: "measurement_id=G-ANY&api_secret=any".to_owned(), ..Head::default() };
        let now = "2026-03-10T12:00:00Z".parse().unwrap();
        messages(&head, &Body::read(body.to_string().as_bytes()), now)
            .iter()
            .map(|one| one.validation_code)
            .collect()
    }

    #[test]
    fn a_good_request_has_no_messages_whatever_its_secret() {
        assert_eq!(codes(&json!({"client_id": "42.1", "events": [{"name": "player_play"}]})), []);
    }

    #[test]
    fn each_code_is_told() {
        let of = |event: Value| codes(&json!({"client_id": "42.1", "events": [event]}));
        let params = |params: Value| of(json!({"name": "a", "params": params}));
        assert_eq!(codes(&json!({"events": [{"name": "a"}]})), [Code::ValueRequired]);
        assert_eq!(of(json!({"name": "_badEventName"})), [Code::NameInvalid]);
        assert_eq!(of(json!({"name": "error"})), [Code::NameReserved]);
        assert_eq!(params(json!({"a": "x".repeat(101)})), [Code::ValueOutOfBounds]);
        assert_eq!(params(json!({"a": null})), [Code::ValueInvalid]);
        assert_eq!(params(json!({"a": 1, "A": 1})), [Code::NameDuplicated, Code::NameDuplicated]);
        let many = json!({"client_id": "42.1", "events": vec![json!({"name": "a"}); 26]});
        assert_eq!(codes(&many), [Code::ExceededMaxEntities]);
    }

    #[test]
    fn enforcing_adds_the_client_id_and_the_age() {
        let mut body = json!({"client_id": "guest", "timestamp_micros": 1, "events": [{"name": "a"}]});
        assert_eq!(codes(&body), []);
        body["validation_behavior"] = json!("ENFORCE_RECOMMENDATIONS");
        assert_eq!(codes(&body), [Code::ValueInvalid, Code::ValueOutOfBounds]);
    }

    #[test]
    fn the_description_is_worded_as_googles_own() {
        let head = Head { query: "measurement_id=G-1&api_secret=s".to_owned(), ..Head::default() };
        let body = json!({"client_id": "1.1", "events": [{"name": "_badEventName"}]});
        let found = messages(&head, &Body::read(body.to_string().as_bytes()), DateTime::UNIX_EPOCH);
        let expected = "Event at index: [0] has invalid name [_badEventName]. Names must start with an alphabetic character.";
        assert_eq!(found[0].description, expected);
    }
}
