//! Search for courses and lessons by title.

use graphql_client::GraphQLQuery;

use super::scalars::Id;

/// Maximum number of matches in a response.
pub const MAX_MATCHES: i64 = 20;

/// Searches for courses by title.
#[derive(GraphQLQuery)]
#[graphql(schema_path = "../schema.graphql", query_path = "graphql/courses.graphql", normalization = "rust")]
pub struct Courses;

/// Searches for lessons by title, in one course or in all.
#[derive(GraphQLQuery)]
#[graphql(schema_path = "../schema.graphql", query_path = "graphql/lessons.graphql", normalization = "rust")]
pub struct Lessons;
