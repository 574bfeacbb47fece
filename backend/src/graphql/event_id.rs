//! The ID of an event, made by the sender. An ID that is not a UUID invalidates only its own event, and is
//! returned to the client unchanged.

use std::borrow::Cow;

use async_graphql::parser::types::Field as Selected;
use async_graphql::registry::Registry;
use async_graphql::{
    ContextSelectionSet, InputType, InputValueError, InputValueResult, OutputType, Positioned, ServerResult,
    Value,
};
use uuid::Uuid;

use crate::field::Field;

/// The ID of an event, as it was received. In the schema, its type is `UUID`. Any text is accepted. A value
/// that is not text invalidates the whole request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventId {
    /// A valid UUID.
    Uuid(Uuid),
    /// Any other text.
    Text(String),
}

impl EventId {
    /// The ID as a field of an incoming event.
    pub const fn field(&self) -> Field<Uuid> {
        match self {
            Self::Uuid(id) => Field::Value(*id),
            Self::Text(_) => Field::Invalid,
        }
    }

    fn text_value(&self) -> Value {
        match self {
            Self::Uuid(id) => Value::String(id.to_string()),
            Self::Text(text) => Value::String(text.clone()),
        }
    }
}

impl InputType for EventId {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        <Uuid as InputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Uuid as InputType>::create_type_info(registry)
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        match value.unwrap_or_default() {
            Value::String(text) => Ok(text.parse().map_or(Self::Text(text), Self::Uuid)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        self.text_value()
    }

    fn as_raw_value(&self) -> Option<&Self::RawValueType> {
        Some(self)
    }
}

impl OutputType for EventId {
    fn type_name() -> Cow<'static, str> {
        <Uuid as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Uuid as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Selected>) -> ServerResult<Value> {
        Ok(self.text_value())
    }
}
