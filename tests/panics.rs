//! A panic is a fault of ours like any other: its request is answered with an id, and the server lives on.

use backend::db::Pool;
use diesel::connection::{Instrumentation, InstrumentationEvent};
use diesel_async::AsyncConnection as _;
use domain::access::Role;
use serde_json::{Value, json};

use crate::harness::ask::Answer;
use crate::harness::hub::Hub;

/// Makes whoever looks into this table panic.
struct PanicOver(&'static str);

impl Instrumentation for PanicOver {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            let looks_into_it = query.to_string().contains(&format!("FROM \"{}\"", self.0));
            assert!(!looks_into_it, "a secret of the inside");
        }
    }
}

async fn trap(pool: &Pool, table: &'static str) {
    let mut held = Vec::new();
    for _ in 0..pool.status().max_size {
        let mut conn = pool.get().await.unwrap();
        conn.set_instrumentation(PanicOver(table));
        held.push(conn);
    }
}

#[tokio::test]
async fn a_panic_is_answered_with_the_id_of_its_request() {
    let hub = Hub::start().await;
    let teacher_admin = hub.user(Role::TeacherAdmin).await;
    let course = hub.academy.course().await;
    trap(&hub.app.pool, "courses").await;

    let answer = hub.graphql("{ courses { id } }").by(&teacher_admin.token).send().await;
    assert_eq!((answer.status, answer.code().as_str()), (200, "INTERNAL"), "{}", answer.body);
    assert_eq!(answer.body["errors"][0]["extensions"]["requestId"].as_str().unwrap().len(), 36);
    assert!(!answer.body.to_string().contains("secret"), "{}", answer.body);

    let wanted = json!({"dataset": "discord_practices", "format": "csv", "filters": {"course_id": course}});
    let link = hub.http.post(hub.url("/admin/data-porter/export-links")).bearer_auth(&teacher_admin.token);
    let answer = Answer::of(link.header("accept-language", "es").json(&wanted)).await;
    assert_eq!((answer.status, answer.code().as_str()), (500, "INTERNAL"), "{}", answer.body);
    assert_eq!(answer.body["requestId"].as_str().unwrap().len(), 36);
    assert!(answer.body["detail"].as_str().unwrap().starts_with("Algo falló"), "{}", answer.body);
    assert!(!answer.body.to_string().contains("secret"), "{}", answer.body);

    hub.graphql("{ viewer { id } }").by(&teacher_admin.token).data().await;
}

#[tokio::test]
async fn the_page_of_a_player_may_read_the_answer_to_a_panic() {
    let site = "https://academy.example.org";
    let hub = Hub::with(|config| config.http.player_origins = vec![site.to_owned()]).await;
    let student = hub.user(Role::Student).await;
    trap(&hub.app.pool, "users").await;
    let report = json!({"lessonId": "1", "source": "VIMEO", "lastSecond": 5});
    let request =
        hub.http.post(hub.url("/api/video/progress")).bearer_auth(&student.token).header("origin", site);
    let response = request.json(&report).send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let told: Value = response.json().await.unwrap();
    assert_eq!((status.as_u16(), &told["code"]), (500, &json!("INTERNAL")), "{told}");
    assert_eq!(headers["access-control-allow-origin"], site);
    assert_eq!(told["requestId"], headers["x-request-id"].to_str().unwrap());
    assert!(!told.to_string().contains("secret"), "{told}");
}
