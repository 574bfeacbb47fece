//! People and their data, for admins.

use domain::format::{Bom, CsvLayout};
use domain::{ExportFormat, Locale};
use graphql_client::GraphQLQuery;
use serde::Serialize;

use super::links::FileLink;
use super::scalars::Id;
use super::{Request, read_json};

/// Searches for people by name or e-mail address.
#[derive(GraphQLQuery)]
#[graphql(schema_path = "../schema.graphql", query_path = "graphql/users.graphql", normalization = "rust")]
pub struct Users;

/// Erases what identifies a person.
#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../schema.graphql",
    query_path = "graphql/erase_user_data.graphql",
    normalization = "rust"
)]
pub struct EraseUserData;

/// The archive with the data of a person.
#[derive(Clone, Debug, PartialEq)]
pub struct PersonArchive {
    /// The id of the person.
    pub person: String,
    /// The format of the files in the archive.
    pub format: ExportFormat,
    pub layout: CsvLayout,
    /// The language of readable headers.
    pub locale: Locale,
    /// The IANA time zone of the timestamps.
    pub timezone: String,
}

/// The body of `POST /admin/data-porter/person-links`.
#[derive(Serialize)]
struct Body<'a> {
    person: &'a str,
    format: &'a str,
    headers: &'a str,
    locale: &'a str,
    timezone: &'a str,
    delimiter: char,
    decimal: char,
    bom: bool,
}

/// Creates a download link for an archive.
pub fn link(archive: &PersonArchive) -> Request<FileLink> {
    let body = Body {
        person: &archive.person,
        format: archive.format.key(),
        headers: archive.layout.headers.key(),
        locale: archive.locale.tag(),
        timezone: &archive.timezone,
        delimiter: archive.layout.delimiter.character(),
        decimal: archive.layout.decimal.character(),
        bom: archive.layout.bom == Bom::With,
    };
    Request::new("/admin/data-porter/person-links", &body, read_json)
}
