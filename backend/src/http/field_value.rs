//! The raw values of fields in bodies whose inputs are validated one by one.

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use domain::filter::parse_id;
use domain::text::{Phrase, Text};
use serde_json::value::RawValue;

use crate::error::{Error, Result};
use crate::field::Field;
use crate::refusal::{MAX_EVENTS, TOO_MANY_EVENTS};

/// The members of a JSON object, unparsed.
pub type Members<'a> = BTreeMap<String, &'a RawValue>;

const NOT_A_LIST: Text = Text::new("Debe ser una lista de eventos.", "Must be a list of events.");

/// The list `events` of a body, whose events are validated one by one.
pub fn list_of_events<'a>(members: &Members<'a>) -> Result<Vec<&'a RawValue>> {
    let events = members.get("events").and_then(|events| serde_json::from_str(events.get()).ok());
    let events: Vec<&RawValue> = events.ok_or_else(|| Error::invalid("events", NOT_A_LIST))?;
    if events.len() > MAX_EVENTS {
        return Err(Error::invalid("events", TOO_MANY_EVENTS));
    }
    Ok(events)
}

/// The message about a body that cannot be parsed for this reason.
pub fn unparsable_body(cause: &str) -> Phrase {
    Phrase::new(
        format!("No se puede interpretar el cuerpo de la petición: {cause}"),
        format!("The request body cannot be parsed: {cause}"),
    )
}

/// The raw value of a field.
#[derive(Clone, Copy, Debug)]
pub enum FieldValue<'a> {
    /// JSON. `null` means that the field is missing.
    Json(&'a str),
    /// The text of a form field. An empty text means that the field is missing.
    Form(&'a str),
}

impl FieldValue<'_> {
    fn is_missing(self) -> bool {
        match self {
            Self::Json(json) => json == "null",
            Self::Form(text) => text.is_empty(),
        }
    }

    /// A string. Other types of JSON are unreadable.
    pub fn text(self) -> Field<String> {
        match self {
            missing if missing.is_missing() => Field::Missing,
            Self::Json(json) => Field::parsed(Some(serde_json::from_str(json).ok())),
            Self::Form(text) => Field::Value(text.to_owned()),
        }
    }

    /// A string that is parsed.
    pub fn parsed<T>(self, parse: impl FnOnce(&str) -> Option<T>) -> Field<T> {
        match self.text() {
            Field::Missing => Field::Missing,
            Field::Invalid => Field::Invalid,
            Field::Value(text) => Field::parsed(Some(parse(&text))),
        }
    }

    /// A number, or a string with a number.
    pub fn number<T: FromStr>(self) -> Field<T> {
        match self {
            Self::Json(json) if json.starts_with(|first: char| first == '-' || first.is_ascii_digit()) => {
                Field::parsed(Some(json.parse().ok()))
            }
            other => other.parsed(|text| text.parse().ok()),
        }
    }

    /// An id, as a number or as a string.
    pub fn id(self) -> Field<i64> {
        match self {
            Self::Json(json) if json.starts_with(|first: char| first.is_ascii_digit()) => {
                Field::parsed(Some(parse_id(json).ok()))
            }
            other => other.parsed(|text| parse_id(text).ok()),
        }
    }

    /// A list of ids. It is invalid if one of them is.
    pub fn ids(self) -> Field<Vec<i64>> {
        match self {
            missing if missing.is_missing() => Field::Missing,
            Self::Json(json) => {
                let ids = serde_json::from_str::<Vec<&RawValue>>(json).unwrap_or_default();
                let ids = ids.into_iter().map(|id| match Self::Json(id.get()).id() {
                    Field::Value(id) => Some(id),
                    Field::Missing | Field::Invalid => None,
                });
                Field::parsed(Some(ids.collect()))
            }
            Self::Form(_) => Field::Invalid,
        }
    }

    /// An RFC 3339 timestamp.
    pub fn timestamp(self) -> Field<DateTime<Utc>> {
        self.parsed(|text| DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc()))
    }

    /// Unparsed JSON. The caller checks whether it is valid and can be stored.
    pub fn json(self) -> Field<String> {
        match self {
            missing if missing.is_missing() => Field::Missing,
            Self::Json(json) | Self::Form(json) => Field::Value(json.to_owned()),
        }
    }
}
