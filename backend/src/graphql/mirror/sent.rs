//! A value that somebody sent, readable or not: so that it can be told by its place in the input, with all the others.

use std::borrow::Cow;

use async_graphql::registry::Registry;
use async_graphql::{InputType, InputValueResult, Value};

use crate::id::Id;

/// A scalar as it was sent: nothing where it could not be read. It looks like the scalar itself.
pub struct Sent<T>(pub Option<T>);

impl Sent<Id> {
    /// The id as a number.
    pub fn number(self) -> Option<i64> {
        self.0.map(|id| id.0)
    }
}

impl<T: InputType> InputType for Sent<T> {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        Ok(Self(T::parse(value).ok()))
    }

    fn to_value(&self) -> Value {
        self.0.as_ref().map_or(Value::Null, InputType::to_value)
    }

    fn as_raw_value(&self) -> Option<&Self::RawValueType> {
        Some(self)
    }
}
