//! The body of a request. Field names may be in snake_case or camelCase.

use serde_json::{Map, Value};

/// A parsed body.
#[derive(Debug, Default)]
pub(crate) struct Body {
    /// The object without its events. `None` if the body is not a JSON object.
    fields: Option<Map<String, Value>>,
    events: Vec<Value>,
}

impl Body {
    /// Parses a body. Assumption: GA4 does not decompress bodies, so a gzip body is not JSON.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let Ok(Value::Object(mut fields)) = serde_json::from_slice(bytes) else { return Self::default() };
        let events = match fields.remove("events") {
            Some(Value::Array(events)) => events,
            _ => Vec::new(),
        };
        Self { fields: Some(fields), events }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.fields.is_some()
    }

    pub(crate) fn events(&self) -> &[Value] {
        &self.events
    }

    pub(crate) fn into_events(self) -> Vec<Value> {
        self.events
    }

    /// A field of the request, unless it is missing or null.
    pub(crate) fn field(&self, snake: &str) -> Option<&Value> {
        self.fields.as_ref().and_then(|fields| field(fields, snake))
    }

    /// A text field, unless it is missing or empty.
    pub(crate) fn text(&self, snake: &str) -> Option<&str> {
        self.field(snake).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// Whether the client asks GA4 to enforce its recommendations.
    pub(crate) fn enforces_recommendations(&self) -> bool {
        self.text("validation_behavior") == Some("ENFORCE_RECOMMENDATIONS")
    }
}

/// A field by its name in snake_case. Its name in camelCase is accepted too.
pub(crate) fn field<'a>(fields: &'a Map<String, Value>, snake: &str) -> Option<&'a Value> {
    let found = fields.get(snake).or_else(|| fields.get(&camel(snake)));
    found.filter(|value| !value.is_null())
}

fn camel(snake: &str) -> String {
    let mut parts = snake.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |mut name, part| {
        let mut letters = part.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name.push_str(letters.as_str());
        name
    })
}

/// An integer, given as a number or as text.
pub(crate) fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_in_snake_case_and_camel_case() {
        let body = Body::read(br#"{"clientId":"1.2","user_id":"","timestamp_micros":null,"events":[{}]}"#);
        assert_eq!(body.text("client_id"), Some("1.2"));
        assert_eq!(body.text("user_id"), None);
        assert_eq!(body.field("timestamp_micros"), None);
        assert_eq!(body.events().len(), 1);
        assert!(!Body::read(b"[]").is_json());
    }
}
