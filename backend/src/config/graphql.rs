//! What the GraphQL endpoint accepts.

use super::kind;
use super::reader::Reader;

/// The GraphQL endpoint's switches and limits.
#[derive(Debug)]
pub struct Graphql {
    /// Whether the explorer is served.
    pub graphiql: bool,
    /// Whether the schema may be asked for.
    pub introspection: bool,
    /// The deepest query.
    pub max_depth: usize,
    /// The costliest query.
    pub max_complexity: usize,
}

impl Graphql {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            graphiql: reader.setting(
                "GRAPHIQL",
                "false",
                kind::yes_or_no(),
                "Whether GET /graphql shows the GraphiQL explorer to a browser.",
            ),
            introspection: reader.setting(
                "GRAPHQL_INTROSPECTION",
                "true",
                kind::yes_or_no(),
                "Whether the schema may be asked for over GraphQL.",
            ),
            max_depth: reader.setting(
                "GRAPHQL_MAX_DEPTH",
                "16",
                kind::number(3..=100),
                "The deepest nesting of a GraphQL document.",
            ),
            max_complexity: reader.setting(
                "GRAPHQL_MAX_COMPLEXITY",
                "5000",
                kind::number(100..=1_000_000),
                "The highest cost of a GraphQL document: its fields, times the rows asked for.",
            ),
        }
    }
}
