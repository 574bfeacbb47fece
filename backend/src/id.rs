//! IDs: integers in the database, strings in GraphQL, where JSON numbers could lose precision.

use std::borrow::Cow;
use std::fmt;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{
    ContextSelectionSet, InputType, InputValueError, InputValueResult, OutputType, Positioned, ServerResult,
    Value,
};
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::BigInt;
use domain::text::Locale;
use serde::Serialize;

/// The ID of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, FromSqlRow, AsExpression)]
#[diesel(sql_type = BigInt)]
#[serde(transparent)]
pub struct Id(pub i64);

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromSql<BigInt, Pg> for Id {
    fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
        <i64 as FromSql<BigInt, Pg>>::from_sql(bytes).map(Self)
    }
}

impl ToSql<BigInt, Pg> for Id {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        <i64 as ToSql<BigInt, Pg>>::to_sql(&self.0, out)
    }
}

/// The GraphQL type is the built-in `ID`.
impl OutputType for Id {
    fn type_name() -> Cow<'static, str> {
        <async_graphql::ID as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <async_graphql::ID as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        Ok(Value::String(self.to_string()))
    }
}

impl InputType for Id {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        <async_graphql::ID as InputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <async_graphql::ID as InputType>::create_type_info(registry)
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let digits = match value.unwrap_or_default() {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            other => return Err(InputValueError::expected_type(other)),
        };
        domain::filter::parse_id(&digits)
            .map(Self)
            .map_err(|problem| InputValueError::custom(problem.message().in_locale(Locale::En)))
    }

    fn to_value(&self) -> Value {
        Value::String(self.to_string())
    }

    fn as_raw_value(&self) -> Option<&Self::RawValueType> {
        Some(self)
    }
}
