//! The parameters of an event and the properties of a user: which are accepted, ignored, or make GA4 drop the
//! event.

use serde_json::{Map, Value};

use super::rules::{self, MAX_PARAMS};

/// The parameters of an event after filtering.
#[derive(Debug, Default, PartialEq)]
pub(super) struct FilteredParams {
    pub params: Map<String, Value>,
    /// The names of the ignored parameters.
    pub ignored: Vec<String>,
}

/// Filters parameters. The error is the name of a parameter that is null, a list or an object, for which the
/// event is dropped.
///
/// Assumption: parameters that are too many, too long or have invalid names are ignored, and the event is
/// kept. Users report this.
pub(super) fn filter_params(params: &Map<String, Value>) -> Result<FilteredParams, &str> {
    let mut filtered = FilteredParams::default();
    for (name, value) in params {
        let is_list_of_items = name == "items" && value.is_array();
        if matches!(value, Value::Null | Value::Array(_) | Value::Object(_)) && !is_list_of_items {
            return Err(name);
        }
        let is_valid = rules::param_name_error(name).is_none() && fits(value, rules::max_value_chars(name));
        if is_valid && filtered.params.len() < MAX_PARAMS {
            filtered.params.insert(name.clone(), value.clone());
        } else {
            filtered.ignored.push(name.clone());
        }
    }
    Ok(filtered)
}

/// The names of user properties that GA4 ignores: those with an invalid name, without an object with a
/// `value`, with a value that is too long, or after the first 25.
pub(super) fn invalid_user_properties(properties: Option<&Value>) -> Vec<String> {
    let Some(properties) = properties else { return Vec::new() };
    let Some(properties) = properties.as_object() else { return vec!["user_properties".to_owned()] };
    let mut valid = 0;
    let mut invalid = Vec::new();
    for (name, property) in properties {
        let value = property.get("value").filter(|value| is_scalar(value));
        let is_valid =
            rules::property_name_error(name).is_none() && value.is_some_and(|value| fits(value, 36));
        if is_valid && valid < MAX_PARAMS {
            valid += 1;
        } else {
            invalid.push(name.clone());
        }
    }
    invalid
}

/// Whether an event appears in reports: it belongs to a session and has an engagement time.
pub(super) fn has_session(params: &Map<String, Value>) -> bool {
    ["session_id", "engagement_time_msec"].iter().all(|name| params.get(*name).is_some_and(is_positive))
}

fn is_positive(value: &Value) -> bool {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).is_some_and(|number| number > 0.0)
}

fn is_scalar(value: &Value) -> bool {
    matches!(value, Value::Bool(_) | Value::Number(_) | Value::String(_))
}

fn fits(value: &Value, max_chars: usize) -> bool {
    value.as_str().is_none_or(|text| text.len() <= max_chars || text.chars().count() <= max_chars)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filter(params: &Value) -> Result<FilteredParams, String> {
        filter_params(params.as_object().unwrap()).map_err(str::to_owned)
    }

    #[test]
    fn an_event_with_a_non_scalar_parameter_is_dropped() {
        for value in [json!(null), json!([1]), json!({"a": 1})] {
            assert_eq!(filter(&json!({"meta": value})), Err("meta".to_owned()));
        }
        assert!(filter(&json!({"items": [{"item_id": "1"}]})).is_ok());
    }

    #[test]
    fn parameters_that_are_too_many_too_long_or_misnamed_are_ignored() {
        let filtered =
            filter(&json!({"a": "ñ".repeat(100), "b": "x".repeat(101), "c-d": 1, "ga_x": 1})).unwrap();
        assert_eq!(filtered.params.keys().collect::<Vec<_>>(), ["a"]);
        assert_eq!(filtered.ignored, ["b", "c-d", "ga_x"]);
        let many: Map<_, _> = (0..26).map(|number| (format!("p{number:02}"), json!(number))).collect();
        assert_eq!(filter_params(&many).unwrap().ignored, ["p25"]);
        assert!(filter(&json!({"page_title": "x".repeat(300)})).unwrap().ignored.is_empty());
    }

    #[test]
    fn user_properties_are_objects_with_a_short_value() {
        let properties = json!({"good": {"value": "a"}, "bare": "a", "long": {"value": "x".repeat(37)}, "user_id": {"value": 1}});
        assert_eq!(invalid_user_properties(Some(&properties)), ["bare", "long", "user_id"]);
        assert!(invalid_user_properties(None).is_empty());
    }

    #[test]
    fn a_session_needs_a_positive_id_and_engagement_time() {
        let has_session = |params: Value| has_session(params.as_object().unwrap());
        assert!(has_session(json!({"session_id": "1726000000", "engagement_time_msec": 1})));
        assert!(!has_session(json!({"session_id": 1_726_000_000})));
        assert!(!has_session(json!({"session_id": 1_726_000_000, "engagement_time_msec": 0})));
    }
}
