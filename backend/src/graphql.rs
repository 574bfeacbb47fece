//! GraphQL: types, queries and mutations, one file a topic; this file merges them.
//!
//! Resolvers are short: context, grant, one call, shape. They know nothing of diesel or HTTP.

pub mod answer;
pub mod catalog;
pub mod context;
pub mod dataset;
mod limits;
pub mod names;
pub mod schema;

/// Everything that can be asked.
#[derive(async_graphql::MergedObject, Default)]
pub struct Query(catalog::CatalogQuery, dataset::DatasetQuery);

/// Everything that can be changed.
pub type Mutation = async_graphql::EmptyMutation;
