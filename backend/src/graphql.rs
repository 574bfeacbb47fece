//! GraphQL: types, queries and mutations, one file a topic; this file merges them.
//!
//! Resolvers are short: context, grant, one call, shape. They know nothing of diesel or HTTP.

pub mod catalog;
pub mod context;
pub mod dataset;
pub mod names;

/// Everything that can be asked.
#[derive(async_graphql::MergedObject, Default)]
pub struct Query(catalog::CatalogQuery, dataset::DatasetQuery);
