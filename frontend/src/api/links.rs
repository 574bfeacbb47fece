//! Signed export links: what a file is asked for by, and what is given for it.

use std::collections::BTreeMap;

use domain::format::{Bom, CsvLayout};
use domain::{ExportFormat, Grant, Locale};
use serde::{Deserialize, Serialize};

use super::{Request, read_json};

/// All that decides what is in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct FileRequest {
    /// Which rows of which dataset.
    pub grant: Grant,
    /// In which format.
    pub format: ExportFormat,
    /// How a CSV file is laid out.
    pub layout: CsvLayout,
    /// The language of readable headers.
    pub locale: Locale,
    /// The time zone that timestamps are written in.
    pub timezone: String,
}

/// A link that is good for some minutes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileLink {
    /// Where the file is.
    pub url: String,
    /// What it will be called.
    pub filename: String,
    /// About how many rows it will have.
    pub estimated_rows: u64,
}

/// The request's body, as `POST /admin/data-porter/export-links` reads it.
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

/// A link to a file.
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
