//! How a row's values are shown. Plain functions: what writes a value is given to them.

use domain::dataset::ColumnKind;
use serde_json::Value;

use crate::i18n::messages::Frame;
use crate::ui::table::{Cell, Set};

/// How a column's cells are set.
pub fn set(kind: ColumnKind) -> Set {
    match kind {
        ColumnKind::Integer | ColumnKind::Decimal => Set::Number,
        ColumnKind::Text => Set::Text,
        ColumnKind::Id | ColumnKind::Boolean | ColumnKind::Timestamp => Set::Plain,
        ColumnKind::Json => Set::Code,
    }
}

/// What writes numbers and moments for the reader.
pub trait Writer {
    /// A number.
    fn number(&self, value: f64) -> String;
    /// A moment, from RFC 3339 text.
    fn moment(&self, rfc3339: &str) -> String;
}

/// A value as its column shows it; `None` where there is none.
pub fn cell(value: &Value, kind: ColumnKind, writer: &impl Writer, words: &Frame) -> Cell {
    let written = match (kind, value) {
        (_, Value::Null) => return None,
        (ColumnKind::Timestamp, Value::String(moment)) => writer.moment(moment),
        (ColumnKind::Integer | ColumnKind::Decimal, Value::Number(number)) => {
            number.as_f64().map_or_else(|| number.to_string(), |number| writer.number(number))
        }
        (ColumnKind::Boolean, Value::Bool(true)) => words.yes.to_owned(),
        (ColumnKind::Boolean, Value::Bool(false)) => words.no.to_owned(),
        (_, Value::String(text)) => text.clone(),
        (_, Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => value.to_string(),
    };
    Some(written).filter(|written| !written.is_empty())
}

#[cfg(test)]
mod tests {
    use domain::Locale;
    use serde_json::json;

    use super::*;

    /// Marks what it writes.
    struct Marks;

    impl Writer for Marks {
        fn number(&self, value: f64) -> String {
            format!("#{value}")
        }
        fn moment(&self, rfc3339: &str) -> String {
            format!("@{rfc3339}")
        }
    }

    fn shown(value: &Value, kind: ColumnKind) -> Cell {
        cell(value, kind, &Marks, &crate::i18n::messages(Locale::Es).frame)
    }

    #[test]
    fn ids_stay_as_they_are_and_numbers_are_written_for_the_reader() {
        assert_eq!(shown(&json!("12430"), ColumnKind::Id), Some("12430".to_owned()));
        assert_eq!(shown(&json!(12430), ColumnKind::Integer), Some("#12430".to_owned()));
    }

    #[test]
    fn moments_and_truths_are_in_the_readers_words() {
        assert_eq!(shown(&json!("2026-11-22"), ColumnKind::Timestamp), Some("@2026-11-22".to_owned()));
        assert_eq!(shown(&json!(true), ColumnKind::Boolean), Some("Sí".to_owned()));
    }

    #[test]
    fn json_is_shown_on_one_line_and_nothing_as_nothing() {
        assert_eq!(shown(&json!({"from": 40}), ColumnKind::Json), Some("{\"from\":40}".to_owned()));
        assert_eq!(shown(&Value::Null, ColumnKind::Text), None);
    }
}
