//! The export history.

use graphql_client::GraphQLQuery;

use super::names::{Dataset, ExportFormat};
use super::scalars::{DateTime, Json};

/// Lists exports, newest first, in pages.
#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../schema.graphql",
    query_path = "graphql/export_audits.graphql",
    extern_enums("Dataset", "ExportFormat"),
    response_derives = "Clone, Debug, PartialEq",
    normalization = "rust"
)]
pub struct ExportAudits;
