//! The dataset catalog, the GraphQL types and the tables agree, which the compiler cannot check.

use std::collections::{BTreeMap, BTreeSet};

use backend::models::dataset::{self, DatasetVisitor};
use backend::source::Source;
use domain::Dataset;
use domain::access::Role;
use domain::dataset::{ColumnKind, FilterKind};
use domain::names::camel_case;
use serde_json::{Map, Value};

use crate::harness::database::TestDatabase;
use crate::harness::dataset::{connection, id_column};
use crate::harness::hub::Hub;
use crate::harness::sdl::{self, Types, type_name};

#[test]
fn every_column_is_a_graphql_field_of_its_kind() {
    let types = Types::parse(&sdl::server_schema());
    for dataset in Dataset::ALL {
        let connection = type_name(&types.field("Query", &connection(dataset)).ty.node);
        let node = type_name(&types.field(connection, "nodes").ty.node);
        let fields: BTreeMap<String, &str> = types
            .object(node)
            .iter()
            .map(|field| (field.name.node.to_string(), type_name(&field.ty.node)))
            .collect();
        let mut expected: BTreeMap<String, &str> = dataset
            .describe()
            .columns
            .iter()
            .map(|column| (column.graphql_field(), graphql_type(column.key, column.kind)))
            .collect();
        expected.insert("id".to_owned(), "ID");
        assert_eq!(fields, expected, "{node}");
    }
}

fn graphql_type(column: &str, kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Id => "ID",
        ColumnKind::Integer => "Int",
        ColumnKind::Decimal => "Float",
        ColumnKind::Text => "String",
        ColumnKind::Boolean => "Boolean",
        ColumnKind::Timestamp => "DateTime",
        ColumnKind::Json if column == "history" => "SubmissionChange",
        ColumnKind::Json => "JSON",
    }
}

#[test]
fn every_filter_is_a_field_of_the_graphql_filter() {
    let types = Types::parse(&sdl::server_schema());
    for dataset in Dataset::ALL {
        let arguments = &types.field("Query", &connection(dataset)).arguments;
        let filter = arguments.iter().find(|argument| argument.node.name.node == "filter").unwrap();
        let input = type_name(&filter.node.ty.node);
        let fields: Vec<(String, String)> = types
            .input(input)
            .iter()
            .map(|field| (field.name.node.to_string(), field.ty.node.to_string()))
            .collect();
        let expected: Vec<(String, String)> = dataset
            .describe()
            .filters
            .iter()
            .map(|filter| (camel_case(filter.key.key()), input_type(filter.kind).to_owned()))
            .collect();
        assert_eq!(fields, expected, "{input}");
    }
}

fn input_type(kind: FilterKind) -> &'static str {
    match kind {
        FilterKind::Date => "DateBound",
        FilterKind::Course | FilterKind::Lesson | FilterKind::Id => "ID",
        FilterKind::Text | FilterKind::Choice => "String",
    }
}

#[test]
fn every_column_is_queried_or_is_a_looked_up_email() {
    for dataset in Dataset::ALL {
        dataset::visit(dataset, CheckColumns);
    }
}

struct CheckColumns;

impl DatasetVisitor for CheckColumns {
    type Output = ();

    fn visit<S: Source>(self) {
        let id = id_column(S::DATASET).unwrap_or("id");
        assert_eq!(S::FIELDS[0], id);
        let fields = S::FIELDS.iter().filter(|field| **field != "id");
        let found: BTreeSet<&str> =
            fields.copied().chain(S::EMAILS.iter().map(|(column, _)| *column)).collect();
        let columns: BTreeSet<&str> = S::DATASET.describe().columns.iter().map(|column| column.key).collect();
        assert_eq!(found, columns, "{}", S::DATASET.key());
        for (column, user) in S::EMAILS {
            assert!(S::FIELDS.contains(user), "{column} is the e-mail address of {user}");
        }
    }
}

/// The table of a dataset, and its columns that the dataset does not expose.
struct HiddenColumns;

impl DatasetVisitor for HiddenColumns {
    type Output = (&'static str, &'static [&'static str]);

    fn visit<S: Source>(self) -> Self::Output {
        (S::TABLE, S::HIDDEN)
    }
}

#[tokio::test]
async fn every_table_column_is_exposed_with_its_type_or_hidden() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    for dataset in Dataset::ALL {
        let (table, hidden_columns) = dataset::visit(dataset, HiddenColumns);
        let rows = client
            .query(
                "SELECT column_name::text, data_type::text FROM information_schema.columns \
                 WHERE table_schema = 'public' AND table_name = $1 ORDER BY 1",
                &[&table],
            )
            .await
            .unwrap();
        let mut hidden_found = Vec::new();
        for row in &rows {
            let (name, sql_type): (&str, &str) = (row.get(0), row.get(1));
            let key = if name == "id" { id_column(dataset).unwrap_or(name) } else { name };
            match dataset.describe().column(key) {
                Some(column) => assert_eq!(sql_type, sql_type_of(column.kind), "{name} of {table}"),
                None => hidden_found.push(name),
            }
        }
        assert_eq!(hidden_found, hidden_columns, "{table}");
    }
}

fn sql_type_of(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Id => "bigint",
        ColumnKind::Integer => "integer",
        ColumnKind::Decimal => "double precision",
        ColumnKind::Text => "text",
        ColumnKind::Boolean => "boolean",
        ColumnKind::Timestamp => "timestamp with time zone",
        ColumnKind::Json => "jsonb",
    }
}

#[tokio::test]
async fn each_role_sees_its_datasets_and_their_required_scopes() {
    let hub = Hub::start().await;
    let mut datasets_by_role = Map::new();
    for role in Role::ALL {
        let user = hub.user(role).await;
        let query = "{ datasets { dataset key requiredScope importable importColumns } }";
        let datasets = hub.graphql(query).by(&user.token).data().await;
        datasets_by_role.insert(role.key().to_owned(), datasets["datasets"].clone());
    }
    let manager = hub.user_named("manager", Role::TeacherAdmin).await;
    hub.academy.grant_manage_settings(manager.id).await;
    let importable = hub.graphql("{ datasets { key importable } }").by(&manager.token).data().await;
    datasets_by_role.insert("teacher_admin with manage-settings".to_owned(), importable["datasets"].clone());
    insta::assert_json_snapshot!(Value::Object(datasets_by_role));
}
