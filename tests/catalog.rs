//! What no compiler sees: the catalogue of datasets, the GraphQL types and the tables say the same.

use std::collections::{BTreeMap, BTreeSet};

use backend::models::course_teacher_assignment::CourseTeacherAssignment;
use backend::models::discord_practice::DiscordPractice;
use backend::models::practice_package_order::PracticePackageOrder;
use backend::models::student_activity_snapshot::StudentActivitySnapshot;
use backend::models::teacher_activity_snapshot::TeacherActivitySnapshot;
use backend::models::teacher_submission::TeacherSubmission;
use backend::models::video_player_event::VideoPlayerEvent;
use backend::source::Source;
use domain::Dataset;
use domain::access::Role;
use domain::dataset::ColumnKind;
use domain::filter::FilterKind;
use serde_json::{Map, Value};

use crate::harness::database::TestDatabase;
use crate::harness::dataset::{camel_case, connection, field, own_id};
use crate::harness::hub::Hub;
use crate::harness::sdl::{self, Types, named};

#[test]
fn every_column_is_a_graphql_field_of_its_kind() {
    let types = Types::parse(&sdl::of_server());
    for dataset in Dataset::ALL {
        let connection = named(&types.field("Query", &connection(dataset)).ty.node);
        let node = named(&types.field(connection, "nodes").ty.node);
        let fields: BTreeMap<String, &str> = types
            .object(node)
            .iter()
            .map(|field| (field.name.node.to_string(), named(&field.ty.node)))
            .collect();
        let mut expected: BTreeMap<String, &str> = dataset
            .describe()
            .columns
            .iter()
            .map(|column| (field(dataset, column.key), graphql_type(column.key, column.kind)))
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
    let types = Types::parse(&sdl::of_server());
    for dataset in Dataset::ALL {
        let arguments = &types.field("Query", &connection(dataset)).arguments;
        let filter = arguments.iter().find(|argument| argument.node.name.node == "filter").unwrap();
        let input = named(&filter.node.ty.node);
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
fn every_column_comes_from_the_query_or_is_an_address_looked_up() {
    check_columns::<VideoPlayerEvent>();
    check_columns::<StudentActivitySnapshot>();
    check_columns::<TeacherActivitySnapshot>();
    check_columns::<DiscordPractice>();
    check_columns::<PracticePackageOrder>();
    check_columns::<TeacherSubmission>();
    check_columns::<CourseTeacherAssignment>();
}

fn check_columns<S: Source>() {
    let id = own_id(S::DATASET).unwrap_or("id");
    assert_eq!(S::FIELDS[0], id);
    let fields = S::FIELDS.iter().filter(|field| **field != "id");
    let found: BTreeSet<&str> = fields.copied().chain(S::EMAILS.iter().map(|(column, _)| *column)).collect();
    let columns: BTreeSet<&str> = S::DATASET.describe().columns.iter().map(|column| column.key).collect();
    assert_eq!(found, columns, "{}", S::DATASET.key());
    for (column, user) in S::EMAILS {
        assert!(S::FIELDS.contains(user), "{column} is the address of {user}");
    }
}

/// The columns of each dataset's table that are no columns of the dataset.
fn kept_back(dataset: Dataset) -> (&'static str, &'static [&'static str]) {
    match dataset {
        Dataset::VideoPlayerEvents => ("video_player_events", &["client_event_id", "created_at", "id"]),
        Dataset::StudentActivitySnapshots => {
            ("student_activity_snapshots", &["created_at", "id", "import_id"])
        }
        Dataset::TeacherActivitySnapshots => {
            ("teacher_activity_snapshots", &["created_at", "id", "import_id"])
        }
        // The meeting's token is a secret.
        Dataset::DiscordPractices => {
            ("discord_practices", &["created_at", "duration_minutes", "meeting_token", "updated_at"])
        }
        Dataset::PracticePackageOrders => ("practice_package_orders", &[]),
        Dataset::TeacherSubmissions => ("teacher_submissions", &["payload", "updated_at"]),
        Dataset::CourseTeacherAssignments => ("course_teacher", &["id"]),
    }
}

#[tokio::test]
async fn every_column_of_a_table_is_shown_as_what_it_is_or_kept_back() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    for dataset in Dataset::ALL {
        let (table, kept_back) = kept_back(dataset);
        let rows = client
            .query(
                "SELECT column_name::text, data_type::text FROM information_schema.columns \
                 WHERE table_schema = 'public' AND table_name = $1 ORDER BY 1",
                &[&table],
            )
            .await
            .unwrap();
        let mut hidden = Vec::new();
        for row in &rows {
            let (name, sql_type): (&str, &str) = (row.get(0), row.get(1));
            let key = if name == "id" { own_id(dataset).unwrap_or(name) } else { name };
            match dataset.describe().column(key) {
                Some(column) => assert_eq!(sql_type, stored_as(column.kind), "{name} of {table}"),
                None => hidden.push(name),
            }
        }
        assert_eq!(hidden, kept_back, "{table}");
    }
}

fn stored_as(kind: ColumnKind) -> &'static str {
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
async fn each_role_is_offered_what_it_may_read_and_told_what_it_must_filter_by() {
    let hub = Hub::start().await;
    let mut offered = Map::new();
    for role in Role::ALL {
        let user = hub.user(role).await;
        let query = "{ datasets { dataset key requiredScope importable importColumns } }";
        let datasets = hub.graphql(query).by(&user.token).data().await;
        offered.insert(role.key().to_owned(), datasets["datasets"].clone());
    }
    let manager = hub.user_named("manager", Role::TeacherAdmin).await;
    hub.academy.grant_manage_settings(manager.id).await;
    let importable = hub.graphql("{ datasets { key importable } }").by(&manager.token).data().await;
    offered.insert("teacher_admin with manage-settings".to_owned(), importable["datasets"].clone());
    insta::assert_json_snapshot!(Value::Object(offered));
}
