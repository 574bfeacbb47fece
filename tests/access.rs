//! Who gets which rows of which dataset under which filter, by every way there is to learn something of a row.
//!
//! The answer is one table: a number of rows, or the code of the refusal. Where reading on a page and taking away in a
//! file do not agree, the cell says what each of them gave.

use std::fmt::Write as _;

use backend::config::access::TeacherAdminScope;
use domain::Dataset;
use domain::access::{Role, TokenScope};
use serde_json::{Map, Value, json};

use crate::harness::ask::Answer;
use crate::harness::dataset::{camel_case, connection};
use crate::harness::hub::Hub;

type Filter = Vec<(&'static str, i64)>;

#[tokio::test]
async fn roles_and_scopes_decide_who_gets_which_rows() {
    let hub = Hub::start().await;
    let filters = fill(&hub).await;
    let mut table = String::new();
    for (name, token) in everybody(&hub).await {
        table += &section(&hub, name, &token, &filters).await;
    }
    insta::assert_snapshot!(table);
}

#[tokio::test]
async fn where_only_assigned_courses_count_a_teacher_admin_reads_no_others() {
    let hub = Hub::with(|config| config.access.teacher_admin_scope = TeacherAdminScope::Assigned).await;
    let filters = fill(&hub).await;
    let (_, own_course) = &filters[1];
    let teacher_admin = hub.user(Role::TeacherAdmin).await;
    hub.academy.assign(own_course[0].1, teacher_admin.id, "2026-11-09T08:00:00Z").await;
    let admin = hub.user(Role::Admin).await;
    let mut table = section(&hub, "teacher_admin", &teacher_admin.token, &filters).await;
    table += &section(&hub, "admin", &admin.token, &filters).await;
    insta::assert_snapshot!(table);
}

/// Fills two courses, and gives the columns of the table: what somebody may put into the filter.
///
/// Of each dataset there are two rows in a lesson of the first course, one in another lesson of it, and four in the
/// second course.
async fn fill(hub: &Hub) -> [(&'static str, Filter); 6] {
    let academy = &hub.academy;
    let (own, other) = (academy.course().await, academy.course().await);
    let lesson = academy.lesson(own).await;
    let next = academy.lesson(own).await;
    let elsewhere = academy.lesson(other).await;
    for dataset in Dataset::ALL {
        for place in [lesson, lesson, next, elsewhere, elsewhere, elsewhere, elsewhere] {
            academy.row(dataset, place, "2026-11-10T08:00:00Z").await;
        }
    }
    [
        ("no filter", vec![]),
        ("course", vec![("course_id", own)]),
        ("lesson", vec![("lesson_id", lesson.id)]),
        ("other course", vec![("course_id", other)]),
        ("both at odds", vec![("course_id", own), ("lesson_id", elsewhere.id)]),
        ("no such course", vec![("course_id", 404)]),
    ]
}

/// One of each kind of caller, with their bearer token.
async fn everybody(hub: &Hub) -> Vec<(&'static str, String)> {
    let manager = hub.user_named("manager", Role::TeacherAdmin).await;
    hub.academy.grant_manage_settings(manager.id).await;
    let mut everybody = Vec::new();
    for role in Role::ALL {
        let user = hub.user(role).await;
        match role {
            Role::Admin => {
                let reader = hub.api_token(user.id, &[TokenScope::Read]).await;
                let exporter = hub.api_token(user.id, &[TokenScope::Export]).await;
                everybody.push(("an admin's API token to read", reader));
                everybody.push(("an admin's API token to export", exporter));
            }
            Role::TeacherAdmin => {
                let scopes = [TokenScope::Read, TokenScope::Export];
                everybody.push(("a teacher_admin's API token", hub.api_token(user.id, &scopes).await));
            }
            Role::Student => everybody.push(("a student's player token", hub.player_token(user.id))),
            Role::Teacher | Role::Service => {}
        }
        everybody.push((role.key(), user.token));
    }
    everybody.push(("teacher_admin with manage-settings", manager.token));
    everybody.push(("nobody", String::new()));
    everybody
}

/// The part of the table that tells of one caller: a line a dataset, a column a filter.
async fn section(hub: &Hub, name: &str, token: &str, filters: &[(&'static str, Filter)]) -> String {
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
    let on_pages = on_pages(hub, token, dataset, filter).await;
    let in_file = in_file(hub, token, dataset, filter).await;
    if on_pages == in_file { on_pages } else { format!("{on_pages}, file {in_file}") }
}

/// What the connection says forwards, backwards, and when only asked for the number, and what charts add up to.
async fn on_pages(hub: &Hub, token: &str, dataset: Dataset, filter: &Filter) -> String {
    let filter: Vec<String> =
        filter.iter().map(|(key, id)| format!("{}: \"{id}\"", camel_case(key))).collect();
    let filter = format!("filter: {{{}}}", filter.join(", "));
    let connection = connection(dataset);
    let mut told = Vec::new();
    for (arguments, selection, rows) in [
        ("first: 500,", "nodes { id }", "nodes"),
        ("last: 500,", "edges { cursor }", "edges"),
        ("", "totalCount", "totalCount"),
    ] {
        let query = format!("{{ found: {connection}({arguments} {filter}) {{ {selection} }} }}");
        let answer = hub.graphql(&query).by(token).send().await;
        told.push(match &answer.body["data"]["found"][rows] {
            Value::Array(rows) => rows.len().to_string(),
            Value::Number(count) => count.to_string(),
            _ => answer.code(),
        });
    }
    if dataset == Dataset::VideoPlayerEvents {
        let query = format!("{{ found: playerEventSeries({filter}) {{ count }} }}");
        let answer = hub.graphql(&query).by(token).send().await;
        told.push(match answer.body["data"]["found"].as_array() {
            Some(counts) => {
                counts.iter().filter_map(|count| count["count"].as_i64()).sum::<i64>().to_string()
            }
            None => answer.code(),
        });
    }
    agreed(told)
}

/// What the link estimates, and what its file holds.
async fn in_file(hub: &Hub, token: &str, dataset: Dataset, filter: &Filter) -> String {
    let filters: Map<String, Value> = filter.iter().map(|(key, id)| ((*key).to_owned(), json!(id))).collect();
    let wanted = json!({"dataset": dataset.key(), "format": "ndjson", "filters": filters});
    let request = hub.http.post(hub.url("/admin/data-porter/export-links")).bearer_auth(token).json(&wanted);
    let link = Answer::of(request).await;
    let Some(address) = link.body["url"].as_str() else { return link.code() };
    let file = hub.http.get(hub.url(address)).send().await.unwrap();
    assert_eq!(file.status(), 200);
    let rows = file.text().await.unwrap().lines().count();
    agreed(vec![link.body["estimatedRows"].to_string(), rows.to_string()])
}

fn agreed(mut told: Vec<String>) -> String {
    let all = told.join(" or ");
    told.dedup();
    if told.len() == 1 { told.remove(0) } else { all }
}
