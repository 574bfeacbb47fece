//! The first rows of a dataset.
//!
//! The query is written from the dataset's description. The alias `rows` gives all responses the same shape.

use domain::Grant;
use domain::dataset::Column;
use domain::names::camel_case;
use domain::practice::RESERVATION_COLUMNS;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Request, read_data};

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
    rows(query(grant))
}

/// Reads the reservations of a practice, as many as a request may have.
pub fn reservations(practice: &str) -> Request<Preview> {
    rows(reservations_query(practice))
}

fn reservations_query(practice: &str) -> String {
    let columns: Vec<String> = RESERVATION_COLUMNS.iter().map(Column::graphql_selection).collect();
    format!(
        "query Preview {{ rows: practiceReservations(practiceId: {practice}, first: 500) \
         {{ nodes {{ {} }} pageInfo {{ hasNextPage }} }} }}",
        columns.join(" ")
    )
}

fn rows(query: String) -> Request<Preview> {
    Request::new("/graphql", &Body { query }, |response| {
        let Response { rows } = read_data(response)?;
        Ok(Preview { rows: rows.nodes, has_more: rows.page_info.has_next_page })
    })
}

/// The GraphQL query for the first rows, with every column of the dataset under its key.
fn query(grant: &Grant) -> String {
    let dataset = grant.dataset();
    let field = camel_case(dataset.key());
    let filter: Vec<String> = grant
        .filter()
        .pairs()
        .into_iter()
        // A JSON string is also a GraphQL string.
        .map(|(key, value)| format!("{}: {}", camel_case(key.key()), Value::from(value)))
        .collect();
    let columns: Vec<String> = dataset.describe().columns.iter().map(Column::graphql_selection).collect();
    format!(
        "query Preview {{ rows: {field}(filter: {{{}}}, first: {PREVIEW_ROWS}) {{ nodes {{ {} }} pageInfo {{ hasNextPage }} }} }}",
        filter.join(", "),
        columns.join(" ")
    )
}

/// The body of the request.
#[derive(Serialize)]
struct Body {
    query: String,
}

/// The response for any dataset.
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
    use std::collections::HashMap;

    use domain::{Dataset, Filter};
    use graphql_parser::query::{
        Definition, Field, OperationDefinition, Selection, SelectionSet, parse_query,
    };
    use graphql_parser::schema::{self, TypeDefinition, parse_schema};

    use super::*;

    /// The fields of each object type in the server's schema, with the names of their types.
    type Types = HashMap<String, HashMap<String, String>>;

    fn types() -> Types {
        let document = parse_schema::<String>(include_str!("../../../schema.graphql")).unwrap();
        let objects = document.definitions.into_iter().filter_map(|definition| match definition {
            schema::Definition::TypeDefinition(TypeDefinition::Object(object)) => Some(object),
            _ => None,
        });
        objects
            .map(|object| {
                let fields = object.fields.into_iter();
                let fields = fields
                    .map(|field| (field.name, field.field_type.to_string().replace(['[', ']', '!'], "")));
                (object.name, fields.collect())
            })
            .collect()
    }

    fn unknown_fields(types: &Types, parent: &str, selection: &SelectionSet<'_, String>) -> Vec<String> {
        let mut unknown = Vec::new();
        for item in &selection.items {
            let Selection::Field(Field { name, selection_set, .. }) = item else {
                panic!("only fields are selected")
            };
            match types.get(parent).and_then(|fields| fields.get(name)) {
                // An object needs subfields, and nothing else may have them.
                Some(inner) if types.contains_key(inner) != selection_set.items.is_empty() => {
                    unknown.extend(unknown_fields(types, inner, selection_set));
                }
                Some(_) | None => unknown.push(format!("{parent}.{name}")),
            }
        }
        unknown
    }

    #[test]
    fn every_column_is_a_field_of_the_schema() {
        let types = types();
        let queries = Dataset::ALL.map(|dataset| query(&Grant::to_operate(dataset, Filter::default())));
        for query in queries.into_iter().chain([reservations_query("31")]) {
            let document = parse_query::<String>(&query).unwrap();
            let [Definition::Operation(OperationDefinition::Query(query))] = &document.definitions[..] else {
                panic!("the document has one query");
            };
            assert_eq!(unknown_fields(&types, "Query", &query.selection_set), Vec::<String>::new());
        }
    }

    #[test]
    fn filters_are_quoted() {
        let filter = [("date_from", "2026-11-01"), ("course_id", "7"), ("event", "a\"b\\c\n")];
        let filter = Filter::parse(Dataset::VideoPlayerEvents, filter).unwrap();
        let query = query(&Grant::to_operate(Dataset::VideoPlayerEvents, filter));
        let expected = r#"(filter: {dateFrom: "2026-11-01", courseId: "7", event: "a\"b\\c"}, first: 10)"#;
        assert!(query.contains(expected), "{query}");
        parse_query::<String>(&query).unwrap();
    }
}
