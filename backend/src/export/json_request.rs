//! Export requests in JSON.

use domain::dataset::FilterKey;
use domain::text::{Phrase, Text};
use serde_json::{Map, Value};

use super::request::{ACCEPTED_COLUMNS, DATE_RANGE, Parameters, option_keys};
use crate::error::{Error, InvalidField, Result};

/// Reads `{dataset, format, filters: {…}, …}` into parameters. Only filters may be in `filters`, and only
/// options may be outside it, so that neither can be mistaken for the other. `date_range` may be in either.
pub fn json_parameters(body: Map<String, Value>) -> Result<Parameters> {
    let mut parameters = Vec::new();
    let mut invalid = Vec::new();
    for (key, value) in body {
        match value {
            Value::Object(mut filters) if key == "filters" => {
                let date_range = filters.remove(DATE_RANGE).filter(|value| !value.is_null());
                if let Some(date_range) = date_range {
                    let text = date_range.as_str().map_or_else(|| date_range.to_string(), str::to_owned);
                    parameters.push((DATE_RANGE.to_owned(), text));
                }
                match filter_parameters(filters) {
                    Ok(filters) => parameters.extend(filters),
                    Err(fields) => invalid.extend(fields),
                }
            }
            Value::Null if key == "filters" => {}
            _ if !option_keys().any(|option| option == key) => {
                invalid.push(InvalidField { field: key, message: unknown_option() });
            }
            Value::Array(columns) if key == "columns" => {
                match columns.iter().map(Value::as_str).collect::<Option<Vec<_>>>() {
                    Some(columns) => parameters.push((key, columns.join(","))),
                    None => invalid.push(InvalidField { field: key, message: ACCEPTED_COLUMNS.into() }),
                }
            }
            Value::Null => {}
            value => match scalar(&value) {
                Some(value) => parameters.push((key, value)),
                None => invalid.push(InvalidField { field: key, message: NOT_A_SCALAR.into() }),
            },
        }
    }
    if invalid.is_empty() { Ok(parameters) } else { Err(Error::Invalid(invalid)) }
}

/// Reads the filters of a JSON object into parameters. Values may be texts, numbers, booleans or null.
pub fn filter_parameters(filters: Map<String, Value>) -> Result<Parameters, Vec<InvalidField>> {
    let mut parameters = Vec::new();
    let mut invalid = Vec::new();
    for (key, value) in filters {
        match scalar(&value) {
            Some(_) if FilterKey::parse(&key).is_none() => {
                invalid.push(InvalidField { field: key, message: UNKNOWN_FILTER.into() });
            }
            Some(value) => parameters.push((key, value)),
            None => invalid.push(InvalidField { field: key, message: NOT_A_SCALAR.into() }),
        }
    }
    if invalid.is_empty() { Ok(parameters) } else { Err(invalid) }
}

/// A JSON value as the text of a parameter. `None` for arrays and objects.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null => Some(String::new()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

fn unknown_option() -> Phrase {
    let options = option_keys().collect::<Vec<_>>().join(", ");
    Phrase::new(
        format!("Campo desconocido. Se acepta {options} y filters."),
        format!("Unknown field. Accepted: {options} and filters."),
    )
}

const UNKNOWN_FILTER: Text = Text::new("Filtro desconocido.", "Unknown filter.");
const NOT_A_SCALAR: Text = Text::new("Debe ser un texto o un número.", "Must be text or a number.");
