//! The datasets' filters as GraphQL inputs.
//!
//! Values are passed as text to [`Filter::parse`], so that GraphQL, links and the command line are checked by the same code.

use async_graphql::{InputType, Value};
use domain::names::{camel_case, snake_case};
use domain::{Dataset, Filter};

use crate::error::{Error, InvalidField, Result};

/// Reads the filter of a dataset. Problems are named by their GraphQL path.
pub fn parse(dataset: Dataset, filter: Option<impl InputType>) -> Result<Filter> {
    let pairs = filter.map(|filter| pairs(filter.to_value())).unwrap_or_default();
    let parsed = Filter::parse(dataset, pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    parsed.map_err(|problems| match Error::from(problems) {
        Error::Invalid(fields) => Error::Invalid(fields.into_iter().map(in_graphql).collect()),
        other => other,
    })
}

/// The fields of an input object that are set, by their machine names. All of them are texts or ids.
fn pairs(input: Value) -> Vec<(String, String)> {
    let Value::Object(fields) = input else { return Vec::new() };
    let pair = |(name, value): (async_graphql::Name, Value)| match value {
        Value::String(text) => Some((snake_case(&name), text)),
        _ => None,
    };
    fields.into_iter().filter_map(pair).collect()
}

fn in_graphql(invalid: InvalidField) -> InvalidField {
    InvalidField { field: format!("filter.{}", camel_case(&invalid.field)), ..invalid }
}
