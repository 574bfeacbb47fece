//! Refuses variables with types that the schema does not have.
//!
//! The library refuses them too, but panics if the unknown type is in a list and the variable has a default.

use async_graphql::ServerError;
use async_graphql::parser::types::{BaseType, ExecutableDocument, Type};
use async_graphql::registry::Registry;

/// Returns an error for the first such variable, with the same message as the library's.
pub fn check(document: &ExecutableDocument, registry: &Registry) -> Result<(), ServerError> {
    let variables =
        document.operations.iter().flat_map(|(_, operation)| &operation.node.variable_definitions);
    for variable in variables {
        let name = named_type(&variable.node.var_type.node);
        if !registry.types.contains_key(name) {
            return Err(ServerError::new(format!("Unknown type \"{name}\""), Some(variable.pos)));
        }
    }
    Ok(())
}

fn named_type(of_type: &Type) -> &str {
    match &of_type.base {
        BaseType::Named(name) => name,
        BaseType::List(inner) => named_type(inner),
    }
}
