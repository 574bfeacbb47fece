//! The first rows of a dataset.
//!
//! Each dataset has its own GraphQL document. The alias `rows` gives their responses the same shape.

mod documents;

use domain::Grant;
use graphql_client::QueryBody;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Request, graphql_request, read_data};

/// The number of rows in a preview.
pub const PREVIEW_ROWS: usize = 10;

/// The first rows of a dataset.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preview {
    /// The rows, each keyed by the columns' GraphQL names.
    pub rows: Vec<Map<String, Value>>,
    pub has_more: bool,
}

/// Reads the first rows that a grant permits.
pub fn first_rows(grant: &Grant) -> Request<Preview> {
    let (query, operation_name) = documents::document(grant.dataset());
    let filter = grant
        .filter()
        .pairs()
        .into_iter()
        .map(|(key, value)| (camel_case(key.key()), value.into()))
        .collect();
    let body = QueryBody { variables: Variables { filter, first: PREVIEW_ROWS }, query, operation_name };
    graphql_request(&body, |response| {
        let Response { rows } = read_data(response)?;
        Ok(Preview { rows: rows.nodes, has_more: rows.page_info.has_next_page })
    })
}

/// The GraphQL name of a column or a filter: `recorded_at` becomes `recordedAt`.
pub fn camel_case(key: &str) -> String {
    let mut name = String::with_capacity(key.len());
    for (index, word) in key.split('_').enumerate() {
        let mut characters = word.chars();
        match characters.next() {
            Some(first) if index > 0 => name.push(first.to_ascii_uppercase()),
            Some(first) => name.push(first),
            None => {}
        }
        name.push_str(characters.as_str());
    }
    name
}

/// The variables of every document.
#[derive(Serialize)]
struct Variables {
    filter: Map<String, Value>,
    first: usize,
}

/// The response of every document.
#[derive(Deserialize)]
struct Response {
    rows: Connection,
}

/// A page of rows of any dataset.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connection {
    nodes: Vec<Map<String, Value>>,
    page_info: PageInfo,
}

/// Whether there is a next page.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snake_case_keys_become_graphql_names() {
        assert_eq!(camel_case("practice_package_id"), "practicePackageId");
        assert_eq!(camel_case("event"), "event");
    }
}
