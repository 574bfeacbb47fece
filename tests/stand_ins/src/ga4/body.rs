//! The body of a request, whose fields may be written in snake_case or in camelCase.

use serde_json::{Map, Value};

/// A body as far as it could be read.
#[derive(Debug, Default)]
pub(crate) struct Body {
    /// The object without its events; `None` where the body is no JSON object.
    fields: Option<Map<String, Value>>,
    events: Vec<Value>,
}

impl Body {
    /// Reads it. Assumption: GA4 unpacks nothing, so that a body in gzip is no JSON.
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

    /// A field of the request, where it is there and not null.
    pub(crate) fn field(&self, snake: &str) -> Option<&Value> {
        self.fields.as_ref().and_then(|fields| field(fields, snake))
    }

    /// A text that is there and not empty.
    pub(crate) fn text(&self, snake: &str) -> Option<&str> {
        self.field(snake).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// Whether the sender asks to be taken at Google's word.
    pub(crate) fn enforces_recommendations(&self) -> bool {
        self.text("validation_behavior") == Some("ENFORCE_RECOMMENDATIONS")
    }
}

/// A field by its name in snake_case, or the same in camelCase.
pub(crate) fn field<'a>(fields: &'a Map<String, Value>, snake: &str) -> Option<&'a Value> {
    let found = fields.get(snake).or_else(|| fields.get(&camel(snake)));
    found.filter(|value| !value.is_null())
}

fn camel(snake: &str) -> String {
    let mut words = snake.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut name, word| {
        let mut letters = word.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name.push_str(letters.as_str());
        name
    })
}

/// A whole number, written as one or as a text of digits.
pub(crate) fn whole_number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_in_either_spelling() {
        let body = Body::read(br#"{"clientId":"1.2","user_id":"","timestamp_micros":null,"events":[{}]}"#);
        assert_eq!(body.text("client_id"), Some("1.2"));
        assert_eq!(body.text("user_id"), None);
        assert_eq!(body.field("timestamp_micros"), None);
        assert_eq!(body.events().len(), 1);
        assert!(!Body::read(b"[]").is_json());
    }
}
