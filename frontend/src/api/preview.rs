//! The first rows of a dataset.
//!
//! Each dataset has a document of its own; the alias `rows` gives all of them one shape here.

mod documents;

use domain::Grant;
use graphql_client::QueryBody;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Request, document, read_data};

/// How many rows a preview shows.
pub const ROWS: usize = 10;

/// The first rows of a dataset, as the table shows them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preview {
    /// The rows, by the GraphQL names of the columns.
    pub rows: Vec<Map<String, Value>>,
    /// Whether there are more.
    pub has_more: bool,
}

/// The first rows that a grant gives leave to read.
pub fn first_rows(grant: &Grant) -> Request<Preview> {
    let (query, operation_name) = documents::document(grant.dataset());
    let filter = grant
        .filter()
        .pairs()
        .into_iter()
        .map(|(key, value)| (camel_case(key.key()), value.into()))
        .collect();
    let body = QueryBody { variables: Variables { filter, first: ROWS }, query, operation_name };
    document(&body, |answer| {
        let Answer { rows } = read_data(answer)?;
        Ok(Preview { rows: rows.nodes, has_more: rows.page_info.has_next_page })
    })
}

/// The GraphQL name of a column or a filter: `recorded_at` is `recordedAt`.
pub fn camel_case(key: &str) -> String {
    let mut name = String::with_capacity(key.len());
    for (index, word) in key.split('_').enumerate() {
        let mut letters = word.chars();
        match letters.next() {
            Some(first) if index > 0 => name.push(first.to_ascii_uppercase()),
            Some(first) => name.push(first),
            None => {}
        }
        name.push_str(letters.as_str());
    }
    name
}

/// What every document takes.
#[derive(Serialize)]
struct Variables {
    filter: Map<String, Value>,
    first: usize,
}

/// What every document answers.
#[derive(Deserialize)]
struct Answer {
    rows: Connection,
}

/// A page of rows, whatever they are.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connection {
    nodes: Vec<Map<String, Value>>,
    page_info: PageInfo,
}

/// Whether a page has a next one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_names_become_graphql_names() {
        assert_eq!(camel_case("practice_package_id"), "practicePackageId");
        assert_eq!(camel_case("event"), "event");
    }
}
