//! The settings of the GraphQL endpoint.

use super::kind;
use super::reader::Reader;

/// The settings of the GraphQL endpoint.
#[derive(Debug)]
pub struct Graphql {
    /// Whether the GraphiQL explorer is served.
    pub graphiql: bool,
    pub introspection: bool,
    pub max_depth: usize,
    pub max_complexity: usize,
}

impl Graphql {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            graphiql: reader.setting(
                "GRAPHIQL",
                "false",
                kind::boolean(),
                "Whether GET /graphql shows the GraphiQL explorer to a browser.",
            ),
            introspection: reader.setting(
                "GRAPHQL_INTROSPECTION",
                "true",
                kind::boolean(),
                "Whether introspection queries are allowed.",
            ),
            max_depth: reader.setting(
                "GRAPHQL_MAX_DEPTH",
                "16",
                kind::number(3..=100),
                "Maximum nesting depth of a GraphQL document.",
            ),
            max_complexity: reader.setting(
                "GRAPHQL_MAX_COMPLEXITY",
                "5000",
                kind::number(100..=1_000_000),
                "Maximum cost of a GraphQL document: its number of fields, multiplied by the number of requested rows.",
            ),
        }
    }
}
