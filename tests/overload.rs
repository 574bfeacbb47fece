//! A hub without free database connections says when to retry, in GraphQL and in the rest of the API.

use backend::db::Pool;
use diesel::connection::{Instrumentation, InstrumentationEvent};
use diesel_async::AsyncConnection as _;
use domain::Dataset;
use domain::access::Role;
use serde_json::json;

use crate::harness::database::TestDatabase;
use crate::harness::hub::Hub;

/// Shrinks a pool to no connections when one of its connections runs a query for rows.
struct ExhaustPoolOnRows(Pool);

impl Instrumentation for ExhaustPoolOnRows {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::StartQuery { query, .. } = event
            && query.to_string().contains("ORDER BY")
        {
            self.0.resize(0);
        }
    }
}

async fn hub_with_short_pool_timeout() -> Hub {
    Hub::on(TestDatabase::new().await.with_short_pool_timeout(), |_| {}).await
}

#[tokio::test]
async fn a_lookup_without_a_free_connection_says_when_to_retry() {
    let hub = hub_with_short_pool_timeout().await;
    let admin = hub.user(Role::Admin).await;
    let lesson = hub.academy.lesson(hub.academy.course().await).await;
    hub.academy.row(Dataset::StudentActivitySnapshots, lesson, "2026-11-10T08:00:00Z").await;
    let import = "INSERT INTO imports (dataset, mode, dry_run, filename, imported_by) \
                  VALUES ('student_activity_snapshots', 'all_or_nothing', true, 'x.csv', $1) RETURNING id";
    hub.academy.insert(import, &[&admin.id]).await;
    for query in [
        "{ studentActivitySnapshots { nodes { userEmail } } }",
        "{ imports { nodes { rejectedRows { line } } } }",
        "{ imports { nodes { importedBy } } }",
    ] {
        let pool = &hub.app.pool;
        pool.resize(1);
        pool.get().await.unwrap().set_instrumentation(ExhaustPoolOnRows(pool.clone()));
        let response = hub.graphql(query).by(&admin.token).send().await;
        let extensions = json!({"code": "RATE_LIMITED", "retryAfterSeconds": 5});
        assert_eq!(response.body["errors"][0]["extensions"], extensions, "{query}: {}", response.body);
    }
}

#[tokio::test]
async fn outside_graphql_a_busy_hub_answers_503_with_retry_after() {
    let hub = hub_with_short_pool_timeout().await;
    let admin = hub.user(Role::Admin).await;
    let mut conns = Vec::new();
    for _ in 0..hub.app.pool.status().max_size {
        conns.push(hub.app.pool.get().await.unwrap());
    }
    let link = hub.http.post(hub.url("/admin/data-porter/export-links")).bearer_auth(&admin.token);
    let link = link.json(&json!({"dataset": "discord_practices", "format": "csv"}));
    let response = link.header("accept-language", "en").send().await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "5");
    let problem: serde_json::Value = response.json().await.unwrap();
    let expected = json!({
        "type": "about:blank", "title": "Service Unavailable", "status": 503, "code": "RATE_LIMITED",
        "detail": "The hub is busy. Try again in 5 s.", "retryAfterSeconds": 5
    });
    assert_eq!(problem, expected);
}
