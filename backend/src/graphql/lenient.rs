//! Scalars that may be invalid, so that all invalid fields of an input are reported together, each by its
//! path.

use std::borrow::Cow;

use async_graphql::registry::Registry;
use async_graphql::{InputType, InputValueResult, Value};

use crate::field::Field;
use crate::id::Id;

/// An optional scalar as a field of an input that is validated by itself.
pub fn field<T>(value: Option<Lenient<T>>) -> Field<T> {
    Field::parsed(value.map(|value| value.0))
}

/// An optional ID as a field of an input that is validated by itself.
pub fn id(value: Option<Lenient<Id>>) -> Field<i64> {
    Field::parsed(value.map(Lenient::number))
}

/// Optional JSON, as text, as a field of an input that is validated by itself. `null` counts as missing.
pub fn json(value: Option<serde_json::Value>) -> Field<String> {
    Field::parsed(value.filter(|value| !value.is_null()).map(|value| Some(value.to_string())))
}

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
