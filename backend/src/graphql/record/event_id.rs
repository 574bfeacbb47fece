//! The id that a player made for an event, as it was sent: so that one that is no UUID keeps no other event out, and is
//! told to its sender in the sender's own words.

use std::borrow::Cow;

use async_graphql::parser::types::Field as Selected;
use async_graphql::registry::Registry;
use async_graphql::{
    ContextSelectionSet, InputType, InputValueError, InputValueResult, OutputType, Positioned, ServerResult,
    Value,
};
use uuid::Uuid;

use crate::telemetry::player_event::Field;

/// It looks like a UUID in the schema, which any text may stand for in a request. What is no text at all is no scalar of
/// that name, and refused with the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventId {
    /// As it should be.
    Uuid(Uuid),
    /// Some other text.
    Text(String),
}

impl EventId {
    /// As it is judged.
    pub const fn field(&self) -> Field<Uuid> {
        match self {
            Self::Uuid(id) => Field::Is(*id),
            Self::Text(_) => Field::Unreadable,
        }
    }

    fn written(&self) -> Value {
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
        self.written()
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
        Ok(self.written())
    }
}
