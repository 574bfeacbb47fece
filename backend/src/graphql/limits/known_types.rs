//! Variables of types that the schema does not have.
//!
//! The library names such a type, but where it stands in a list and has a default it looks for it first, and panics when it
//! is not there.

use async_graphql::ServerError;
use async_graphql::parser::types::{BaseType, ExecutableDocument, Type};
use async_graphql::registry::Registry;

/// Refuses the first of them, in the library's own words.
pub fn check(document: &ExecutableDocument, registry: &Registry) -> Result<(), ServerError> {
    let variables =
        document.operations.iter().flat_map(|(_, operation)| &operation.node.variable_definitions);
    for variable in variables {
        let name = innermost(&variable.node.var_type.node);
        if !registry.types.contains_key(name) {
            return Err(ServerError::new(format!("Unknown type \"{name}\""), Some(variable.pos)));
        }
    }
    Ok(())
}

fn innermost(of_type: &Type) -> &str {
    match &of_type.base {
        BaseType::Named(name) => name,
        BaseType::List(inner) => innermost(inner),
    }
}
