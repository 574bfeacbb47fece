//! Formatting of a row's values. These are plain functions that take the formatter as an argument.

use domain::dataset::ColumnKind;
use serde_json::Value;

use crate::i18n::messages::Frame;
use crate::ui::table::{Cell, CellStyle};

/// The style of a column's cells.
pub fn cell_style(kind: ColumnKind) -> CellStyle {
    match kind {
        ColumnKind::Integer | ColumnKind::Decimal => CellStyle::Number,
        ColumnKind::Text => CellStyle::Text,
        ColumnKind::Id | ColumnKind::Boolean | ColumnKind::Timestamp => CellStyle::Plain,
        ColumnKind::Json => CellStyle::Code,
    }
}

/// Formats numbers and timestamps for the user.
pub trait Formatter {
    /// Formats a number.
    fn number(&self, value: f64) -> String;
    /// Formats an RFC 3339 timestamp.
    fn timestamp(&self, rfc3339: &str) -> String;
}

/// The text of a value in its column, or `None` if there is no value.
pub fn cell(value: &Value, kind: ColumnKind, formatter: &impl Formatter, texts: &Frame) -> Cell {
    let text = match (kind, value) {
        (_, Value::Null) => return None,
        (ColumnKind::Timestamp, Value::String(rfc3339)) => formatter.timestamp(rfc3339),
        (ColumnKind::Integer | ColumnKind::Decimal, Value::Number(number)) => {
            number.as_f64().map_or_else(|| number.to_string(), |number| formatter.number(number))
        }
        (ColumnKind::Boolean, Value::Bool(true)) => texts.yes.to_owned(),
        (ColumnKind::Boolean, Value::Bool(false)) => texts.no.to_owned(),
        (_, Value::String(text)) => text.clone(),
        (_, Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => value.to_string(),
    };
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use domain::Locale;
    use serde_json::json;

    use super::*;

    /// Marks formatted values.
    struct MarkingFormatter;

    impl Formatter for MarkingFormatter {
        fn number(&self, value: f64) -> String {
            format!("#{value}")
        }
        fn timestamp(&self, rfc3339: &str) -> String {
            format!("@{rfc3339}")
        }
    }

    fn shown(value: &Value, kind: ColumnKind) -> Cell {
        cell(value, kind, &MarkingFormatter, &crate::i18n::messages(Locale::Es).frame)
    }

    #[test]
    fn ids_are_unchanged_and_numbers_are_formatted() {
        assert_eq!(shown(&json!("12430"), ColumnKind::Id), Some("12430".to_owned()));
        assert_eq!(shown(&json!(12430), ColumnKind::Integer), Some("#12430".to_owned()));
    }

    #[test]
    fn timestamps_are_formatted_and_booleans_are_translated() {
        assert_eq!(shown(&json!("2026-11-22"), ColumnKind::Timestamp), Some("@2026-11-22".to_owned()));
        assert_eq!(shown(&json!(true), ColumnKind::Boolean), Some("Sí".to_owned()));
    }

    #[test]
    fn json_is_shown_on_one_line_and_null_is_empty() {
        assert_eq!(shown(&json!({"from": 40}), ColumnKind::Json), Some("{\"from\":40}".to_owned()));
        assert_eq!(shown(&Value::Null, ColumnKind::Text), None);
    }
}
