//! What `/import?strict=1` asks of an event. Source: "Import events", "Validation", and the limits of properties.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

/// Ids that mean nobody.
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
/// The greatest event, as JSON.
const EVENT_BYTES: usize = 1_000_000;
/// One more than the most properties, keys of an object and members of a list.
const MANY: usize = 255;
/// How deep objects may lie in each other.
const DEPTH: usize = 3;
/// The greatest list or object, as JSON.
const NESTED_BYTES: usize = 8 << 10;
/// The greatest `$insert_id`.
const INSERT_ID_BYTES: usize = 36;
/// From here on a time is one in milliseconds. Assumption: where Mixpanel draws the line is documented nowhere; as
/// seconds this is the year 5138, as milliseconds the year 1973.
const MILLISECONDS_FROM: i64 = 100_000_000_000;

/// What is wrong with an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub field: String,
    pub message: String,
}

impl Fault {
    fn of(property: &str, what: &str) -> Self {
        let field = format!("properties.{property}");
        Self { message: format!("'{field}' is invalid: {what}"), field }
    }
}

/// The first thing that is wrong with an event.
pub(super) fn check(event: &Value, now: DateTime<Utc>) -> Result<(), Fault> {
    let name = event.get("event").and_then(Value::as_str).unwrap_or_default();
    if name.trim().is_empty() {
        let message = "'event' must not be missing or blank".to_owned();
        return Err(Fault { field: "event".to_owned(), message });
    }
    let Some(properties) = event.get("properties").and_then(Value::as_object) else {
        let message = "'properties' must not be missing".to_owned();
        return Err(Fault { field: "properties".to_owned(), message });
    };
    check_time(properties, now)?;
    check_distinct_id(properties)?;
    check_insert_id(properties)?;
    check_shape(event, properties)
}

/// A time in seconds or in milliseconds.
pub(super) fn time(properties: &Map<String, Value>) -> Option<DateTime<Utc>> {
    let number = properties.get("time")?.as_i64()?;
    let millis = if number < MILLISECONDS_FROM { number.checked_mul(1000)? } else { number };
    DateTime::from_timestamp_millis(millis)
}

/// Whether an id is one of those that mean nobody. Assumption: in letters of any size.
pub(super) fn is_forbidden_id(id: &str) -> bool {
    FORBIDDEN_IDS.iter().any(|forbidden| forbidden.eq_ignore_ascii_case(id))
}

/// Whether Mixpanel can tell repetitions by this id.
pub(super) fn is_insert_id(id: &str) -> bool {
    let of_allowed_characters = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    !id.is_empty() && id.len() <= INSERT_ID_BYTES && of_allowed_characters && !is_forbidden_id(id)
}

/// Whether a time is one that Mixpanel takes: since 1971 and at most an hour ahead.
pub(super) fn is_possible(time: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    const SECONDS_OF_1970: i64 = 365 * 86_400;
    time.timestamp() >= SECONDS_OF_1970 && time <= now + TimeDelta::hours(1)
}

fn check_time(properties: &Map<String, Value>, now: DateTime<Utc>) -> Result<(), Fault> {
    let Some(time) = time(properties) else {
        return Err(Fault::of("time", "must be specified as seconds since epoch"));
    };
    if is_possible(time, now) {
        Ok(())
    } else if time > now {
        Err(Fault::of("time", "must not be more than one hour in the future"))
    } else {
        Err(Fault::of("time", "must not be before 1971-01-01"))
    }
}

/// Projects with the simplified merge of ids may send `$user_id` or `$device_id` in its place. An empty one is allowed
/// and means that there is no user.
fn check_distinct_id(properties: &Map<String, Value>) -> Result<(), Fault> {
    let is_text = |name: &str| properties.get(name).is_some_and(Value::is_string);
    match properties.get("distinct_id") {
        Some(Value::String(id)) if is_forbidden_id(id) => {
            Err(Fault::of("distinct_id", "must not be one of the reserved values"))
        }
        Some(Value::String(_)) => Ok(()),
        Some(Value::Null) | None if is_text("$user_id") || is_text("$device_id") => Ok(()),
        Some(Value::Null) | None => Err(Fault::of("distinct_id", "must not be missing")),
        Some(_) => Err(Fault::of("distinct_id", "must be a string")),
    }
}

fn check_insert_id(properties: &Map<String, Value>) -> Result<(), Fault> {
    let fault = |what| Err(Fault::of("$insert_id", what));
    match properties.get("$insert_id") {
        None | Some(Value::Null) => fault("must not be missing"),
        Some(Value::String(id)) if is_insert_id(id) => Ok(()),
        Some(Value::String(id)) if id.len() > INSERT_ID_BYTES => fault("must not be longer than 36 bytes"),
        Some(Value::String(id)) if is_forbidden_id(id) => fault("must not be one of the reserved values"),
        Some(_) => fault("must be made of letters, digits and dashes"),
    }
}

fn check_shape(event: &Value, properties: &Map<String, Value>) -> Result<(), Fault> {
    let whole = |what: &str| Fault {
        field: "properties".to_owned(),
        message: format!("'properties' is invalid: {what}"),
    };
    if event.to_string().len() >= EVENT_BYTES {
        return Err(whole("the event must be smaller than 1MB"));
    }
    if properties.len() >= MANY {
        return Err(whole("must have fewer than 255 properties"));
    }
    for (name, value) in properties {
        if name.len() > MANY {
            return Err(whole("names must not be longer than 255 characters"));
        }
        if value.is_array() || value.is_object() {
            // Assumption: a list or an object that is too large is refused, where it may only be cut.
            let is_small = value.to_string().len() <= NESTED_BYTES;
            if !is_small || !nests_well(value, 1) {
                return Err(Fault::of(name, "too many members, too deep or larger than 8KB"));
            }
        }
    }
    Ok(())
}

fn nests_well(value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(members) => {
            members.len() < MANY && members.iter().all(|member| nests_well(member, depth))
        }
        Value::Object(fields) => {
            depth <= DEPTH && fields.len() < MANY && fields.values().all(|field| nests_well(field, depth + 1))
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

    /// What is said of a good event with one property changed.
    fn changed(property: &str, value: Value) -> Option<String> {
        let properties = json!({"time": now().timestamp_millis(), "distinct_id": "42", "$insert_id": "a-1"});
        let mut event = json!({"event": "play", "properties": properties});
        event["properties"][property] = value;
        check(&event, now()).err().map(|fault| fault.field)
    }

    #[test]
    fn times_are_whole_seconds_or_milliseconds_between_1971_and_an_hour_from_now() {
        let seconds = now().timestamp();
        for good in [json!(seconds), json!(seconds * 1000), json!(31_536_000), json!(seconds + 3600)] {
            assert_eq!(changed("time", good), None);
        }
        for bad in [json!("2026-03-10"), json!(1.5), json!(null), json!(31_535_999), json!(seconds + 3601)] {
            assert_eq!(changed("time", bad), Some("properties.time".to_owned()));
        }
    }

    #[test]
    fn distinct_ids_are_texts_that_mean_somebody_or_nobody() {
        assert_eq!(changed("distinct_id", json!("")), None);
        for bad in [json!("null"), json!("Anonymous"), json!("0"), json!(42), json!(null)] {
            assert_eq!(changed("distinct_id", bad), Some("properties.distinct_id".to_owned()));
        }
        let merged = json!({"time": 1_700_000_000, "$insert_id": "a", "$user_id": "42"});
        assert_eq!(check(&json!({"event": "play", "properties": merged}), now()), Ok(()));
    }

    #[test]
    fn insert_ids_are_36_letters_digits_and_dashes() {
        assert_eq!(changed("$insert_id", json!("f47ac10b-58cc-5372-a567-0e02b2c3d479")), None);
        for bad in
            [json!("x".repeat(37)), json!("a_b"), json!("ñ"), json!(""), json!("na"), json!(1), json!(null)]
        {
            assert_eq!(changed("$insert_id", bad), Some("properties.$insert_id".to_owned()));
        }
    }

    #[test]
    fn properties_are_few_small_and_not_deep() {
        assert_eq!(changed("a", json!({"b": {"c": {"d": 1}}})), None);
        assert_eq!(changed("a", json!({"b": {"c": {"d": {}}}})), Some("properties.a".to_owned()));
        assert_eq!(changed("a", json!(vec![1; 255])), Some("properties.a".to_owned()));
        assert_eq!(changed("a", json!(["x".repeat(9000)])), Some("properties.a".to_owned()));
        assert_eq!(changed(&"x".repeat(256), json!(1)), Some("properties".to_owned()));
        assert_eq!(changed("a", json!("x".repeat(1_000_000))), Some("properties".to_owned()));
    }

    #[test]
    fn messages_are_worded_as_mixpanels_own() {
        let message = |event: Value| check(&event, now()).unwrap_err().message;
        assert_eq!(message(json!({"event": " "})), "'event' must not be missing or blank");
        let event = |properties: Value| json!({"event": "play", "properties": properties});
        assert_eq!(
            message(event(json!({}))),
            "'properties.time' is invalid: must be specified as seconds since epoch"
        );
        let nobody = event(json!({"time": 1_700_000_000}));
        assert_eq!(message(nobody), "'properties.distinct_id' is invalid: must not be missing");
    }
}
