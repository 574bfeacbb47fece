//! Which rows of each dataset each caller gets with each filter, in every API that exposes rows.
//!
//! The result is one table. Each cell is a number of rows or an error code. If the GraphQL API and exports
//! disagree, the cell shows both.

use std::fmt::Write as _;

use backend::config::access::TeacherAdminScope;
use domain::Dataset;
use domain::access::{Role, TokenScope};
use domain::names::camel_case;
use serde_json::{Map, Value, json};

use crate::harness::dataset::connection;
use crate::harness::hub::Hub;
use crate::harness::request::ApiResponse;

type Filter = Vec<(&'static str, i64)>;

#[tokio::test]
async fn roles_and_scopes_decide_who_gets_which_rows() {
    let hub = Hub::start().await;
    let filters = fill(&hub).await;
    let mut table = String::new();
    for (name, token) in callers(&hub).await {
        table += &table_section(&hub, name, &token, &filters).await;
    }
    insta::assert_snapshot!(table);
}

#[tokio::test]
async fn a_teacher_admin_limited_to_assigned_courses_reads_no_others() {
    let hub = Hub::with(|config| config.access.teacher_admin_scope = TeacherAdminScope::Assigned).await;
    let filters = fill(&hub).await;
    let (_, course_filter) = &filters[1];
    let teacher_admin = hub.user(Role::TeacherAdmin).await;
    hub.academy.assign(course_filter[0].1, teacher_admin.id, "2026-11-09T08:00:00Z").await;
    let admin = hub.user(Role::Admin).await;
    let mut table = table_section(&hub, "teacher_admin", &teacher_admin.token, &filters).await;
    table += &table_section(&hub, "admin", &admin.token, &filters).await;
    insta::assert_snapshot!(table);
}

/// Fills two courses, and returns the columns of the table, which are filters.
///
/// Each dataset gets two rows in a lesson of the first course, one row in another lesson of that course, and
/// four rows in the second course.
async fn fill(hub: &Hub) -> [(&'static str, Filter); 6] {
    let academy = &hub.academy;
    let (first_course, second_course) = (academy.course().await, academy.course().await);
    let lesson = academy.lesson(first_course).await;
    let next_lesson = academy.lesson(first_course).await;
    let other_lesson = academy.lesson(second_course).await;
    for dataset in Dataset::ALL {
        for lesson in [lesson, lesson, next_lesson, other_lesson, other_lesson, other_lesson, other_lesson] {
            academy.row(dataset, lesson, "2026-11-10T08:00:00Z").await;
        }
    }
    [
        ("no filter", vec![]),
        ("course", vec![("course_id", first_course)]),
        ("lesson", vec![("lesson_id", lesson.id)]),
        ("other course", vec![("course_id", second_course)]),
        ("lesson of another course", vec![("course_id", first_course), ("lesson_id", other_lesson.id)]),
        ("unknown course", vec![("course_id", 404)]),
    ]
}

/// One caller of each kind, with a bearer token.
async fn callers(hub: &Hub) -> Vec<(&'static str, String)> {
    let manager = hub.user_named("manager", Role::TeacherAdmin).await;
    hub.academy.grant_manage_settings(manager.id).await;
    let mut callers = Vec::new();
    for role in Role::ALL {
        let user = hub.user(role).await;
        match role {
            Role::Admin => {
                let reader = hub.api_token(user.id, &[TokenScope::Read]).await;
                let exporter = hub.api_token(user.id, &[TokenScope::Export]).await;
                callers.push(("an admin's API token with the read scope", reader));
                callers.push(("an admin's API token with the export scope", exporter));
            }
            Role::TeacherAdmin => {
                let scopes = [TokenScope::Read, TokenScope::Export];
                callers.push(("a teacher_admin's API token", hub.api_token(user.id, &scopes).await));
            }
            Role::Student => callers.push(("a student's player token", hub.player_token(user.id))),
            Role::Teacher | Role::Service => {}
        }
        callers.push((role.key(), user.token));
    }
    callers.push(("teacher_admin with manage-settings", manager.token));
    callers.push(("anonymous", String::new()));
    callers
}

/// The part of the table for one caller, with a row for each dataset and a column for each filter.
async fn table_section(hub: &Hub, name: &str, token: &str, filters: &[(&'static str, Filter)]) -> String {
    let mut text = format!("\n{name}\n{:28}", "");
    for (title, _) in filters {
        write!(text, "{title:38}").unwrap();
    }
    for dataset in Dataset::ALL {
        write!(text, "\n  {:28}", dataset.key()).unwrap();
        for (_, filter) in filters {
            write!(text, "{:38}", cell(hub, token, dataset, filter).await).unwrap();
        }
    }
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

async fn cell(hub: &Hub, token: &str, dataset: Dataset, filter: &Filter) -> String {
    let rows_in_graphql = rows_in_graphql(hub, token, dataset, filter).await;
    let rows_in_file = rows_in_file(hub, token, dataset, filter).await;
    if rows_in_graphql == rows_in_file {
        rows_in_graphql
    } else {
        format!("{rows_in_graphql}, file {rows_in_file}")
    }
}

/// The number of rows by paging forwards, by paging backwards, by `totalCount`, and by the sum of a chart.
async fn rows_in_graphql(hub: &Hub, token: &str, dataset: Dataset, filter: &Filter) -> String {
    let filter: Vec<String> =
        filter.iter().map(|(key, id)| format!("{}: \"{id}\"", camel_case(key))).collect();
    let filter = format!("filter: {{{}}}", filter.join(", "));
    let connection = connection(dataset);
    let mut results = Vec::new();
    for (arguments, selection, rows) in [
        ("first: 500,", "nodes { id }", "nodes"),
        ("last: 500,", "edges { cursor }", "edges"),
        ("", "totalCount", "totalCount"),
    ] {
        let query = format!("{{ found: {connection}({arguments} {filter}) {{ {selection} }} }}");
        let response = hub.graphql(&query).by(token).send().await;
        results.push(match &response.body["data"]["found"][rows] {
            Value::Array(rows) => rows.len().to_string(),
            Value::Number(count) => count.to_string(),
            _ => response.code(),
        });
    }
    if dataset == Dataset::VideoPlayerEvents {
        let query = format!("{{ found: playerEventSeries({filter}) {{ count }} }}");
        let response = hub.graphql(&query).by(token).send().await;
        results.push(match response.body["data"]["found"].as_array() {
            Some(counts) => {
                counts.iter().filter_map(|count| count["count"].as_i64()).sum::<i64>().to_string()
            }
            None => response.code(),
        });
    }
    join_distinct(results)
}

/// The number of rows that an export link and `exportEstimate` estimate, and the number in the file.
async fn rows_in_file(hub: &Hub, token: &str, dataset: Dataset, filter: &Filter) -> String {
    let filters: Map<String, Value> = filter.iter().map(|(key, id)| ((*key).to_owned(), json!(id))).collect();
    let query = "query ($dataset: Dataset!, $filters: JSON) { exportEstimate(dataset: $dataset, filters: $filters) { rows } }";
    let variables = json!({"dataset": dataset.key().to_uppercase(), "filters": filters});
    let response = hub.graphql(query).by(token).variables(variables).send().await;
    let estimate = match &response.body["data"]["exportEstimate"]["rows"] {
        Value::Null => response.code(),
        rows => rows.to_string(),
    };
    let body = json!({"dataset": dataset.key(), "format": "ndjson", "filters": filters});
    let request = hub.http.post(hub.url("/admin/data-porter/export-links")).bearer_auth(token).json(&body);
    let link = ApiResponse::of(request).await;
    let Some(path) = link.body["url"].as_str() else { return join_distinct(vec![link.code(), estimate]) };
    let file = hub.http.get(hub.url(path)).send().await.unwrap();
    assert_eq!(file.status(), 200);
    let rows = file.text().await.unwrap().lines().count();
    join_distinct(vec![link.body["estimatedRows"].to_string(), rows.to_string(), estimate])
}

fn join_distinct(mut results: Vec<String>) -> String {
    let joined = results.join(" or ");
    results.dedup();
    if results.len() == 1 { results.remove(0) } else { joined }
}
