//! The parameters of an event and the properties of a user, each kept, left out or fatal to the event.

use serde_json::{Map, Value};

use super::rules::{self, PARAMS};

/// What is left of an event's parameters.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Kept {
    pub params: Map<String, Value>,
    /// The names of those that were left out.
    pub ignored: Vec<String>,
}

/// Sorts parameters; the error is the name of one that is null, a list or an object, which takes the event with it.
///
/// That a surplus, a value that is too long and a name that is not allowed cost the parameter and not the event is what
/// users report and an assumption.
pub(super) fn params(sent: &Map<String, Value>) -> Result<Kept, &str> {
    let mut kept = Kept::default();
    for (name, value) in sent {
        let is_list_of_items = name == "items" && value.is_array();
        if matches!(value, Value::Null | Value::Array(_) | Value::Object(_)) && !is_list_of_items {
            return Err(name);
        }
        let is_good = rules::param_name(name).is_none() && fits(value, rules::value_limit(name));
        if is_good && kept.params.len() < PARAMS {
            kept.params.insert(name.clone(), value.clone());
        } else {
            kept.ignored.push(name.clone());
        }
    }
    Ok(kept)
}

/// The names of the user properties that GA4 cannot use: badly named, not in an object with a `value`, too long, or
/// beyond the 25th.
pub(super) fn bad_user_properties(sent: Option<&Value>) -> Vec<String> {
    let Some(sent) = sent else { return Vec::new() };
    let Some(properties) = sent.as_object() else { return vec!["user_properties".to_owned()] };
    let mut good = 0;
    let mut bad = Vec::new();
    for (name, property) in properties {
        let value = property.get("value").filter(|value| is_scalar(value));
        let is_good = rules::property_name(name).is_none() && value.is_some_and(|value| fits(value, 36));
        if is_good && good < PARAMS {
            good += 1;
        } else {
            bad.push(name.clone());
        }
    }
    bad
}

/// Whether an event will be seen in reports: it belongs to a session and somebody was engaged in it.
pub(super) fn has_session(params: &Map<String, Value>) -> bool {
    ["session_id", "engagement_time_msec"].iter().all(|name| params.get(*name).is_some_and(is_positive))
}

fn is_positive(value: &Value) -> bool {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).is_some_and(|number| number > 0.0)
}

fn is_scalar(value: &Value) -> bool {
    matches!(value, Value::Bool(_) | Value::Number(_) | Value::String(_))
}

fn fits(value: &Value, limit: usize) -> bool {
    value.as_str().is_none_or(|text| text.len() <= limit || text.chars().count() <= limit)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sorted(sent: &Value) -> Result<Kept, String> {
        params(sent.as_object().unwrap()).map_err(str::to_owned)
    }

    #[test]
    fn what_is_no_scalar_takes_the_event_with_it() {
        for value in [json!(null), json!([1]), json!({"a": 1})] {
            assert_eq!(sorted(&json!({"meta": value})), Err("meta".to_owned()));
        }
        assert!(sorted(&json!({"items": [{"item_id": "1"}]})).is_ok());
    }

    #[test]
    fn what_is_too_long_badly_named_or_too_much_is_left_out() {
        let kept = sorted(&json!({"a": "ñ".repeat(100), "b": "x".repeat(101), "c-d": 1, "ga_x": 1})).unwrap();
        assert_eq!(kept.params.keys().collect::<Vec<_>>(), ["a"]);
        assert_eq!(kept.ignored, ["b", "c-d", "ga_x"]);
        let many: Map<_, _> = (0..26).map(|number| (format!("p{number:02}"), json!(number))).collect();
        assert_eq!(params(&many).unwrap().ignored, ["p25"]);
        assert!(sorted(&json!({"page_title": "x".repeat(300)})).unwrap().ignored.is_empty());
    }

    #[test]
    fn user_properties_are_objects_with_a_short_value() {
        let sent = json!({"good": {"value": "a"}, "bare": "a", "long": {"value": "x".repeat(37)}, "user_id": {"value": 1}});
        assert_eq!(bad_user_properties(Some(&sent)), ["bare", "long", "user_id"]);
        assert!(bad_user_properties(None).is_empty());
    }

    #[test]
    fn a_session_needs_a_positive_id_and_engagement() {
        let has = |params: Value| has_session(params.as_object().unwrap());
        assert!(has(json!({"session_id": "1726000000", "engagement_time_msec": 1})));
        assert!(!has(json!({"session_id": 1_726_000_000})));
        assert!(!has(json!({"session_id": 1_726_000_000, "engagement_time_msec": 0})));
    }
}
