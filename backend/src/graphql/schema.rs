//! Builds the schema with its limits.

use async_graphql::Schema;

use super::limits::{self, Limits};
use super::{Mutation, Query, Subscription};
use crate::config::graphql::Graphql;

/// The schema of the hub.
pub type HubSchema = Schema<Query, Mutation, Subscription>;

/// Builds the schema. It contains no data: each request brings its own context.
pub fn build(config: &Graphql) -> HubSchema {
    let mut builder = Schema::build(Query::default(), Mutation::default(), Subscription::default())
        .limit_depth(config.max_depth)
        .limit_complexity(config.max_complexity)
        .limit_recursive_depth(limits::MAX_NESTING)
        .limit_directives(limits::MAX_DIRECTIVES_PER_FIELD)
        .extension(Limits);
    if !config.introspection {
        // Suggestions would reveal names of the schema too.
        builder = builder.disable_introspection().disable_suggestions();
    }
    builder.finish()
}
