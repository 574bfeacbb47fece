//! `/debug/mp/collect`: reports what is wrong with a request, and stores nothing.
//!
//! It checks neither the secret nor the measurement id. Source: "Validate events". The texts of messages are
//! as observed, and the others are assumptions.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::{Value, json};

use super::body::{Body, field, integer};
use super::param;
use super::rules::{self, MAX_AGE_HOURS, MAX_EVENTS, MAX_PARAMS, NameError, StreamKind};
use crate::http::{Head, Response};

/// The validation codes of GA4.
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

/// Validates a request. The status is always 200.
pub(super) fn validate(head: &Head, body: &Body, now: DateTime<Utc>) -> Response {
    Response::json(200, &json!({"validationMessages": messages(head, body, now)}))
}

fn messages(head: &Head, body: &Body, now: DateTime<Utc>) -> Vec<Message> {
    let mut found = Vec::new();
    let mut report = |path: &str, code, description: String| {
        found.push(Message { field_path: path.to_owned(), description, validation_code: code });
    };
    if !body.is_json() {
        report("", Code::ValueInvalid, "Unable to parse Measurement Protocol JSON payload.".to_owned());
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
            report(parameter, Code::ValueRequired, description);
        }
    }
    match body.text(client) {
        None => report(client, Code::ValueRequired, format!("Measurement requires a {client}.")),
        Some(id) if kind == StreamKind::Web && body.enforces_recommendations() => {
            if !rules::is_recommended_client_id(id) {
                let description = format!(
                    "Measurement has invalid client_id [{id}]: two positive numbers with a dot between are expected."
                );
                report(client, Code::ValueInvalid, description);
            }
        }
        Some(_) => {}
    }
    for name in param::invalid_user_properties(body.field("user_properties")) {
        let code = if rules::property_name_error(&name) == Some(NameError::Reserved) {
            Code::NameReserved
        } else if rules::property_name_error(&name).is_some() {
            Code::NameInvalid
        } else {
            Code::ValueInvalid
        };
        report("user_properties", code, format!("Measurement has invalid user property [{name}]."));
    }
    match body.events().len() {
        0 => report("events", Code::ValueRequired, "Measurement requires at least one event.".to_owned()),
        count if count > MAX_EVENTS => {
            let description =
                format!("Measurement has [{count}] events, more than the [{MAX_EVENTS}] allowed.");
            report("events", Code::ExceededMaxEntities, description);
        }
        _ => {}
    }
    for (index, event) in body.events().iter().enumerate() {
        event_messages(index, event, kind, &mut report);
        if body.enforces_recommendations() {
            enforced_messages(index, event, body, now, &mut report);
        }
    }
    found
}

fn event_messages(
    index: usize,
    event: &Value,
    kind: StreamKind,
    report: &mut impl FnMut(&str, Code, String),
) {
    let name = event.get("name").and_then(Value::as_str).unwrap_or_default();
    let invalid = |reason: &str| format!("Event at index: [{index}] has invalid name [{name}]. {reason}");
    match rules::event_name_error(name, kind) {
        None => {}
        Some(NameError::Empty) => {
            report("events", Code::ValueRequired, format!("Event at index: [{index}] has no name."));
        }
        // GA4 was observed to report names with a leading underscore as invalid, not as reserved.
        Some(NameError::Reserved) if !name.starts_with('_') => {
            let description = format!("Event at index: [{index}] has name [{name}] which is reserved.");
            report("events", Code::NameReserved, description);
        }
        Some(NameError::BadFirstCharacter | NameError::Reserved) => {
            report("events", Code::NameInvalid, invalid("Names must start with an alphabetic character."));
        }
        Some(NameError::BadCharacter) => {
            report(
                "events",
                Code::NameInvalid,
                invalid("Only alphanumeric characters and underscores are allowed."),
            );
        }
        Some(NameError::TooLong) => {
            report("events", Code::NameInvalid, invalid("Names must be 40 characters or fewer."));
        }
    }
    let Some(params) = event.get("params").and_then(Value::as_object) else { return };
    if params.len() > MAX_PARAMS {
        let description = format!(
            "Event at index: [{index}] has [{}] parameters, more than the [{MAX_PARAMS}] allowed.",
            params.len()
        );
        report("events.params", Code::ExceededMaxEntities, description);
    }
    for (param, value) in params {
        let invalid = format!("Event at index: [{index}] has invalid parameter [{param}].");
        let is_wrong_type = (param != "items" && value.is_array()) || value.is_null() || value.is_object();
        let length = value.as_str().map_or(0, |text| text.chars().count());
        match rules::param_name_error(param) {
            Some(NameError::Reserved) => {
                report("events.params", Code::NameReserved, format!("{invalid} The name is reserved."))
            }
            Some(_) => report(
                "events.params",
                Code::NameInvalid,
                format!("{invalid} Only alphanumeric characters and underscores are allowed."),
            ),
            None if is_wrong_type => report(
                "events.params",
                Code::ValueInvalid,
                format!("{invalid} A text or a number is expected."),
            ),
            None if length > rules::max_value_chars(param) => {
                report("events.params", Code::ValueOutOfBounds, format!("{invalid} The value is too long."));
            }
            None => {}
        }
        let same_names = params.keys().filter(|other| other.eq_ignore_ascii_case(param)).count();
        if same_names > 1 {
            report(
                "events.params",
                Code::NameDuplicated,
                format!("{invalid} The name occurs more than once."),
            );
        }
    }
}

/// Adds the messages about timestamps, which GA4 reports only if it enforces recommendations.
fn enforced_messages(
    index: usize,
    event: &Value,
    body: &Body,
    now: DateTime<Utc>,
    report: &mut impl FnMut(&str, Code, String),
) {
    let own = event.as_object().and_then(|fields| field(fields, "timestamp_micros"));
    let Some(micros) = own.or_else(|| body.field("timestamp_micros")) else { return };
    let path = "events.timestamp_micros";
    match integer(micros).and_then(DateTime::from_timestamp_micros) {
        None => {
            let description = format!("Event at index: [{index}] has invalid timestamp_micros [{micros}].");
            report(path, Code::ValueInvalid, description);
        }
        Some(time) if time < now - TimeDelta::hours(MAX_AGE_HOURS) => {
            let description = format!(
                "Event at index: [{index}] has timestamp_micros [{micros}], more than 72 hours in the past."
            );
            report(path, Code::ValueOutOfBounds, description);
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
            .map(|message| message.validation_code)
            .collect()
    }

    #[test]
    fn a_valid_request_has_no_messages_whatever_its_secret() {
        assert_eq!(codes(&json!({"client_id": "42.1", "events": [{"name": "player_play"}]})), []);
    }

    #[test]
    fn each_code_is_reported() {
        let event = |event: Value| codes(&json!({"client_id": "42.1", "events": [event]}));
        let params = |params: Value| event(json!({"name": "a", "params": params}));
        assert_eq!(codes(&json!({"events": [{"name": "a"}]})), [Code::ValueRequired]);
        assert_eq!(event(json!({"name": "_badEventName"})), [Code::NameInvalid]);
        assert_eq!(event(json!({"name": "error"})), [Code::NameReserved]);
        assert_eq!(params(json!({"a": "x".repeat(101)})), [Code::ValueOutOfBounds]);
        assert_eq!(params(json!({"a": null})), [Code::ValueInvalid]);
        assert_eq!(params(json!({"a": 1, "A": 1})), [Code::NameDuplicated, Code::NameDuplicated]);
        let many = json!({"client_id": "42.1", "events": vec![json!({"name": "a"}); 26]});
        assert_eq!(codes(&many), [Code::ExceededMaxEntities]);
    }

    #[test]
    fn enforcing_recommendations_checks_client_ids_and_timestamps() {
        let mut body = json!({"client_id": "guest", "timestamp_micros": 1, "events": [{"name": "a"}]});
        assert_eq!(codes(&body), []);
        body["validation_behavior"] = json!("ENFORCE_RECOMMENDATIONS");
        assert_eq!(codes(&body), [Code::ValueInvalid, Code::ValueOutOfBounds]);
    }

    #[test]
    fn descriptions_match_those_of_google() {
        let head = Head { query: "measurement_id=G-1&api_secret=s".to_owned(), ..Head::default() };
        let body = json!({"client_id": "1.1", "events": [{"name": "_badEventName"}]});
        let found = messages(&head, &Body::read(body.to_string().as_bytes()), DateTime::UNIX_EPOCH);
        let expected = "Event at index: [0] has invalid name [_badEventName]. Names must start with an alphabetic character.";
        assert_eq!(found[0].description, expected);
    }
}
