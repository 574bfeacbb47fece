//! The record of exports.

use graphql_client::GraphQLQuery;

use super::names::{Dataset, ExportFormat};
use super::scalars::{DateTime, Json};

/// The newest exports, page by page.
#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../schema.graphql",
    query_path = "graphql/export_audits.graphql",
    extern_enums("Dataset", "ExportFormat"),
    response_derives = "Clone, Debug, PartialEq",
    normalization = "rust"
)]
pub struct ExportAudits;
