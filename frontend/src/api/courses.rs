//! Courses and lessons by name.

use graphql_client::GraphQLQuery;

use super::scalars::Id;

/// How many matches are asked for.
pub const MATCHES: i64 = 20;

/// Courses whose title matches.
#[derive(GraphQLQuery)]
#[graphql(schema_path = "../schema.graphql", query_path = "graphql/courses.graphql", normalization = "rust")]
pub struct Courses;

/// Lessons, of one course or of all, whose title matches.
#[derive(GraphQLQuery)]
#[graphql(schema_path = "../schema.graphql", query_path = "graphql/lessons.graphql", normalization = "rust")]
pub struct Lessons;
