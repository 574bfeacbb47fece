//! Scalars that may be invalid, so that all invalid fields of an input are reported together, each by its
//! path.

use std::borrow::Cow;

use async_graphql::registry::Registry;
use async_graphql::{InputType, InputValueResult, Value};

use crate::id::Id;

/// A scalar, or `None` if the value was invalid. In the schema, it has the type of the scalar.
pub struct Lenient<T>(pub Option<T>);

impl Lenient<Id> {
    /// The ID as a number. `None` if it was invalid.
    pub fn number(self) -> Option<i64> {
        self.0.map(|id| id.0)
    }
}

impl<T: InputType> InputType for Lenient<T> {
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
