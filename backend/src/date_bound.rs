//! The bounds of date filters in GraphQL.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};

/// A calendar date (a whole day in the hub's time zone) or an RFC 3339 timestamp, as an inclusive bound of a time range.
///
/// The text is checked with the rest of the filter, so that all problems are reported together.
#[derive(Clone, Debug)]
pub struct DateBound(String);

/// A calendar date (a whole day in the hub's time zone) or an RFC 3339 timestamp, as an inclusive bound of a time range.
#[Scalar]
impl ScalarType for DateBound {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => Ok(Self(text)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}
