//! The validation of events by `/import?strict=1`. Source: "Import events", "Validation", and the limits of
//! properties.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

/// Reserved values that do not identify a user.
const FORBIDDEN_IDS: &[&str] = &[
    "00000000-0000-0000-0000-000000000000",
    "anon",
    "anonymous",
    "nil",
    "none",
    "null",
    "n/a",
    "na",
    "undefined",
    "unknown",
    "<nil>",
    "0",
    "-1",
    "true",
    "false",
    "[]",
    "{}",
];
/// The size of an event's JSON must be less than this, in bytes.
const EVENT_BYTES_LIMIT: usize = 1_000_000;
/// The number of properties, of keys of an object and of members of a list must be less than this.
const COUNT_LIMIT: usize = 255;
/// Maximum nesting depth of objects.
const MAX_DEPTH: usize = 3;
/// Maximum size of a list or object as JSON, in bytes.
const MAX_NESTED_BYTES: usize = 8 << 10;
/// Maximum size of an `$insert_id`, in bytes.
const MAX_INSERT_ID_BYTES: usize = 36;
/// Times from this number on are in milliseconds, smaller ones in seconds. Assumption: Mixpanel's limit is
/// not documented. This number means the year 5138 in seconds, and 1973 in milliseconds.
const MIN_MILLISECONDS: i64 = 100_000_000_000;

/// The validation error of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ValidationError {
    pub field: String,
    pub message: String,
}

impl ValidationError {
    fn of(property: &str, reason: &str) -> Self {
        let field = format!("properties.{property}");
        Self { message: format!("'{field}' is invalid: {reason}"), field }
    }
}

/// Validates an event. Returns only the first error.
pub(super) fn validate(event: &Value, now: DateTime<Utc>) -> Result<(), ValidationError> {
    let name = event.get("event").and_then(Value::as_str).unwrap_or_default();
    if name.trim().is_empty() {
        let message = "'event' must not be missing or blank".to_owned();
        return Err(ValidationError { field: "event".to_owned(), message });
    }
    let Some(properties) = event.get("properties").and_then(Value::as_object) else {
        let message = "'properties' must not be missing".to_owned();
        return Err(ValidationError { field: "properties".to_owned(), message });
    };
    check_time(properties, now)?;
    check_distinct_id(properties)?;
    check_insert_id(properties)?;
    check_shape(event, properties)
}

/// The time of an event, in seconds or milliseconds.
pub(super) fn event_time(properties: &Map<String, Value>) -> Option<DateTime<Utc>> {
    let number = properties.get("time")?.as_i64()?;
    let millis = if number < MIN_MILLISECONDS { number.checked_mul(1000)? } else { number };
    DateTime::from_timestamp_millis(millis)
}

/// Whether an id is a reserved value. Assumption: case is ignored.
pub(super) fn is_forbidden_id(id: &str) -> bool {
    FORBIDDEN_IDS.iter().any(|forbidden| forbidden.eq_ignore_ascii_case(id))
}

/// Whether an `$insert_id` is valid, so that Mixpanel deduplicates by it.
pub(super) fn is_insert_id(id: &str) -> bool {
    let has_allowed_characters = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    !id.is_empty() && id.len() <= MAX_INSERT_ID_BYTES && has_allowed_characters && !is_forbidden_id(id)
}

/// Whether Mixpanel accepts a time: since 1971, and at most an hour in the future.
pub(super) fn is_valid_time(time: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    const SECONDS_OF_1970: i64 = 365 * 86_400;
    time.timestamp() >= SECONDS_OF_1970 && time <= now + TimeDelta::hours(1)
}

fn check_time(properties: &Map<String, Value>, now: DateTime<Utc>) -> Result<(), ValidationError> {
    let Some(time) = event_time(properties) else {
        return Err(ValidationError::of("time", "must be specified as seconds since epoch"));
    };
    if is_valid_time(time, now) {
        Ok(())
    } else if time > now {
        Err(ValidationError::of("time", "must not be more than one hour in the future"))
    } else {
        Err(ValidationError::of("time", "must not be before 1971-01-01"))
    }
}

/// Projects with "simplified ID merge" may send `$user_id` or `$device_id` instead. An empty `distinct_id` is
/// allowed and means that there is no user.
fn check_distinct_id(properties: &Map<String, Value>) -> Result<(), ValidationError> {
    let is_text = |name: &str| properties.get(name).is_some_and(Value::is_string);
    match properties.get("distinct_id") {
        Some(Value::String(id)) if is_forbidden_id(id) => {
            Err(ValidationError::of("distinct_id", "must not be one of the reserved values"))
        }
        Some(Value::String(_)) => Ok(()),
        Some(Value::Null) | None if is_text("$user_id") || is_text("$device_id") => Ok(()),
        Some(Value::Null) | None => Err(ValidationError::of("distinct_id", "must not be missing")),
        Some(_) => Err(ValidationError::of("distinct_id", "must be a string")),
    }
}

fn check_insert_id(properties: &Map<String, Value>) -> Result<(), ValidationError> {
    let error = |reason| Err(ValidationError::of("$insert_id", reason));
    match properties.get("$insert_id") {
        None | Some(Value::Null) => error("must not be missing"),
        Some(Value::String(id)) if is_insert_id(id) => Ok(()),
        Some(Value::String(id)) if id.len() > MAX_INSERT_ID_BYTES => {
            error("must not be longer than 36 bytes")
        }
        Some(Value::String(id)) if is_forbidden_id(id) => error("must not be one of the reserved values"),
        Some(_) => error("must be made of letters, digits and dashes"),
    }
}

fn check_shape(event: &Value, properties: &Map<String, Value>) -> Result<(), ValidationError> {
    let error = |reason: &str| ValidationError {
        field: "properties".to_owned(),
        message: format!("'properties' is invalid: {reason}"),
    };
    if event.to_string().len() >= EVENT_BYTES_LIMIT {
        return Err(error("the event must be smaller than 1MB"));
    }
    if properties.len() >= COUNT_LIMIT {
        return Err(error("must have fewer than 255 properties"));
    }
    for (name, value) in properties {
        if name.len() > COUNT_LIMIT {
            return Err(error("names must not be longer than 255 characters"));
        }
        if value.is_array() || value.is_object() {
            // Assumption: a list or object that is too large is refused. Mixpanel may truncate it instead.
            let is_small = value.to_string().len() <= MAX_NESTED_BYTES;
            if !is_small || !is_nesting_valid(value, 1) {
                return Err(ValidationError::of(name, "too many members, too deep or larger than 8KB"));
            }
        }
    }
    Ok(())
}

fn is_nesting_valid(value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(members) => {
            members.len() < COUNT_LIMIT && members.iter().all(|member| is_nesting_valid(member, depth))
        }
        Value::Object(fields) => {
            depth <= MAX_DEPTH
                && fields.len() < COUNT_LIMIT
                && fields.values().all(|field| is_nesting_valid(field, depth + 1))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-03-10T12:00:00Z".parse().unwrap()
    }

    /// The invalid field of an event that is valid except for this property, if that is invalid.
    fn invalid_field(property: &str, value: Value) -> Option<String> {
        let properties = json!({"time": now().timestamp_millis(), "distinct_id": "42", "$insert_id": "a-1"});
        let mut event = json!({"event": "play", "properties": properties});
        event["properties"][property] = value;
        validate(&event, now()).err().map(|error| error.field)
    }

    #[test]
    fn times_are_seconds_or_milliseconds_since_1971_up_to_the_next_hour() {
        let seconds = now().timestamp();
        for valid in [json!(seconds), json!(seconds * 1000), json!(31_536_000), json!(seconds + 3600)] {
            assert_eq!(invalid_field("time", valid), None);
        }
        for invalid in
            [json!("2026-03-10"), json!(1.5), json!(null), json!(31_535_999), json!(seconds + 3601)]
        {
            assert_eq!(invalid_field("time", invalid), Some("properties.time".to_owned()));
        }
    }

    #[test]
    fn distinct_ids_are_texts_other_than_reserved_values() {
        assert_eq!(invalid_field("distinct_id", json!("")), None);
        for invalid in [json!("null"), json!("Anonymous"), json!("0"), json!(42), json!(null)] {
            assert_eq!(invalid_field("distinct_id", invalid), Some("properties.distinct_id".to_owned()));
        }
        let merged = json!({"time": 1_700_000_000, "$insert_id": "a", "$user_id": "42"});
        assert_eq!(validate(&json!({"event": "play", "properties": merged}), now()), Ok(()));
    }

    #[test]
    fn insert_ids_are_up_to_36_letters_digits_and_dashes() {
        assert_eq!(invalid_field("$insert_id", json!("f47ac10b-58cc-5372-a567-0e02b2c3d479")), None);
        for invalid in
            [json!("x".repeat(37)), json!("a_b"), json!("ñ"), json!(""), json!("na"), json!(1), json!(null)]
        {
            assert_eq!(invalid_field("$insert_id", invalid), Some("properties.$insert_id".to_owned()));
        }
    }

    #[test]
    fn properties_are_limited_in_number_size_and_depth() {
        assert_eq!(invalid_field("a", json!({"b": {"c": {"d": 1}}})), None);
        assert_eq!(invalid_field("a", json!({"b": {"c": {"d": {}}}})), Some("properties.a".to_owned()));
        assert_eq!(invalid_field("a", json!(vec![1; 255])), Some("properties.a".to_owned()));
        assert_eq!(invalid_field("a", json!(["x".repeat(9000)])), Some("properties.a".to_owned()));
        assert_eq!(invalid_field(&"x".repeat(256), json!(1)), Some("properties".to_owned()));
        assert_eq!(invalid_field("a", json!("x".repeat(1_000_000))), Some("properties".to_owned()));
    }

    #[test]
    fn messages_match_those_of_mixpanel() {
        let message = |event: Value| validate(&event, now()).unwrap_err().message;
        assert_eq!(message(json!({"event": " "})), "'event' must not be missing or blank");
        let event = |properties: Value| json!({"event": "play", "properties": properties});
        assert_eq!(
            message(event(json!({}))),
            "'properties.time' is invalid: must be specified as seconds since epoch"
        );
        let without_user = event(json!({"time": 1_700_000_000}));
        assert_eq!(message(without_user), "'properties.distinct_id' is invalid: must not be missing");
    }
}
