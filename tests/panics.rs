//! A panic is handled like any internal error: the response has a request ID, and the server survives.

use backend::db::Pool;
use diesel::connection::{Instrumentation, InstrumentationEvent};
use diesel_async::AsyncConnection as _;
use domain::access::Role;
use serde_json::{Value, json};

use crate::harness::hub::Hub;
use crate::harness::request::ApiResponse;

/// Panics when a query reads this table.
struct PanicOnTable(&'static str);

impl Instrumentation for PanicOnTable {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            let reads_table = query.to_string().contains(&format!("FROM \"{}\"", self.0));
            assert!(!reads_table, "an internal secret");
        }
    }
}

/// Makes every connection of the pool panic on queries of this table.
async fn set_trap(pool: &Pool, table: &'static str) {
    let mut conns = Vec::new();
    for _ in 0..pool.status().max_size {
        let mut conn = pool.get().await.unwrap();
        conn.set_instrumentation(PanicOnTable(table));
        conns.push(conn);
    }
}

#[tokio::test]
async fn the_response_to_a_panic_has_a_request_id() {
    let hub = Hub::start().await;
    let teacher_admin = hub.user(Role::TeacherAdmin).await;
    let course = hub.academy.course().await;
    set_trap(&hub.app.pool, "courses").await;

    let response = hub.graphql("{ courses { id } }").by(&teacher_admin.token).send().await;
    assert_eq!((response.status, response.code().as_str()), (200, "INTERNAL"), "{}", response.body);
    assert_eq!(response.body["errors"][0]["extensions"]["requestId"].as_str().unwrap().len(), 36);
    assert!(!response.body.to_string().contains("secret"), "{}", response.body);

    let body = json!({"dataset": "discord_practices", "format": "csv", "filters": {"course_id": course}});
    let link = hub.http.post(hub.url("/admin/data-porter/export-links")).bearer_auth(&teacher_admin.token);
    let response = ApiResponse::of(link.header("accept-language", "es").json(&body)).await;
    assert_eq!((response.status, response.code().as_str()), (500, "INTERNAL"), "{}", response.body);
    assert_eq!(response.body["requestId"].as_str().unwrap().len(), 36);
    assert!(response.body["detail"].as_str().unwrap().starts_with("Algo falló"), "{}", response.body);
    assert!(!response.body.to_string().contains("secret"), "{}", response.body);

    hub.graphql("{ viewer { id } }").by(&teacher_admin.token).data().await;
}

#[tokio::test]
async fn a_player_page_can_read_the_response_to_a_panic() {
    let site = "https://academy.example.org";
    let hub = Hub::with(|config| config.http.player_origins = vec![site.to_owned()]).await;
    let student = hub.user(Role::Student).await;
    set_trap(&hub.app.pool, "users").await;
    let report = json!({"lessonId": "1", "source": "VIMEO", "lastSecond": 5});
    let request =
        hub.http.post(hub.url("/api/video/progress")).bearer_auth(&student.token).header("origin", site);
    let response = request.json(&report).send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let problem: Value = response.json().await.unwrap();
    assert_eq!((status.as_u16(), &problem["code"]), (500, &json!("INTERNAL")), "{problem}");
    assert_eq!(headers["access-control-allow-origin"], site);
    assert_eq!(problem["requestId"], headers["x-request-id"].to_str().unwrap());
    assert!(!problem.to_string().contains("secret"), "{problem}");
}
