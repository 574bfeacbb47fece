//! Signed export links, and estimates of what they contain.

use std::collections::BTreeMap;

use domain::format::{Bom, CsvLayout};
use domain::{ExportFormat, Grant, Locale};
use graphql_client::GraphQLQuery;
use serde::{Deserialize, Serialize};

use super::names::{Dataset, Named};
use super::scalars::Json;
use super::{Request, operation, read_json};

/// Everything that determines a file's content.
#[derive(Clone, Debug, PartialEq)]
pub struct FileRequest {
    /// The dataset and its filter.
    pub grant: Grant,
    pub format: ExportFormat,
    pub layout: CsvLayout,
    /// The language of readable headers.
    pub locale: Locale,
    /// The IANA time zone of the timestamps in the file.
    pub timezone: String,
}

/// A download link that expires after a few minutes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileLink {
    pub url: String,
    pub filename: String,
}

/// The body of `POST /admin/data-porter/export-links`.
#[derive(Serialize)]
struct Body<'a> {
    dataset: &'a str,
    format: &'a str,
    filters: BTreeMap<&'static str, String>,
    headers: &'a str,
    locale: &'a str,
    timezone: &'a str,
    delimiter: char,
    decimal: char,
    bom: bool,
}

/// Creates a download link for a file.
pub fn link(file: &FileRequest) -> Request<FileLink> {
    let body = Body {
        dataset: file.grant.dataset().key(),
        format: file.format.key(),
        filters: file.grant.filter().pairs().into_iter().map(|(key, value)| (key.key(), value)).collect(),
        headers: file.layout.headers.key(),
        locale: file.locale.tag(),
        timezone: &file.timezone,
        delimiter: file.layout.delimiter.character(),
        decimal: file.layout.decimal.character(),
        bom: file.layout.bom == Bom::With,
    };
    Request::new("/admin/data-porter/export-links", &body, read_json)
}

/// Estimates the number of rows in a file.
#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../schema.graphql",
    query_path = "graphql/export_estimate.graphql",
    normalization = "rust",
    extern_enums("Dataset")
)]
pub struct ExportEstimate;

/// Estimates the number of rows that a grant permits.
pub fn estimate(grant: &Grant) -> Request<export_estimate::ResponseData> {
    let filters = grant.filter().pairs().into_iter().map(|(key, value)| (key.key().to_owned(), value.into()));
    operation::<ExportEstimate>(export_estimate::Variables {
        dataset: Named(grant.dataset()),
        filters: Some(Json::Object(filters.collect())),
    })
}
