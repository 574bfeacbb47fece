//! Parses the types of a GraphQL schema from its SDL.

use std::collections::BTreeMap;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, EnumType, FieldDefinition, InputObjectType, InputValueDefinition, ObjectType, Type, TypeKind,
    TypeSystemDefinition,
};
use backend::config::Config;
use backend::graphql::schema;

/// The types of a schema by name.
pub struct Types(pub BTreeMap<String, TypeKind>);

/// The SDL of the server's schema.
pub fn server_schema() -> String {
    schema::build(&Config::defaults().graphql).sdl()
}

impl Types {
    pub fn parse(sdl: &str) -> Self {
        let definitions = parse_schema(sdl).unwrap().definitions.into_iter();
        Self(
            definitions
                .filter_map(|definition| match definition {
                    TypeSystemDefinition::Type(ty) => Some((ty.node.name.to_string(), ty.node.kind)),
                    TypeSystemDefinition::Schema(_) | TypeSystemDefinition::Directive(_) => None,
                })
                .collect(),
        )
    }

    /// The fields of an object type.
    pub fn object(&self, name: &str) -> Vec<&FieldDefinition> {
        match &self.0[name] {
            TypeKind::Object(ObjectType { fields, .. }) => fields.iter().map(|field| &field.node).collect(),
            other => panic!("{name} is {other:?}"),
        }
    }

    /// A field of an object type.
    pub fn field(&self, object: &str, name: &str) -> &FieldDefinition {
        let mut fields = self.object(object).into_iter();
        fields.find(|field| field.name.node == name).unwrap_or_else(|| panic!("{object} has no {name}"))
    }

    /// The fields of an input type.
    pub fn input(&self, name: &str) -> Vec<&InputValueDefinition> {
        match &self.0[name] {
            TypeKind::InputObject(InputObjectType { fields }) => {
                fields.iter().map(|field| &field.node).collect()
            }
            other => panic!("{name} is {other:?}"),
        }
    }

    /// The values of an enum.
    pub fn values(&self, name: &str) -> Vec<&str> {
        match &self.0[name] {
            TypeKind::Enum(EnumType { values }) => {
                values.iter().map(|value| value.node.value.node.as_str()).collect()
            }
            other => panic!("{name} is {other:?}"),
        }
    }
}

/// The name of a type without its list and non-null modifiers.
pub fn type_name(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(inner) => type_name(inner),
    }
}
