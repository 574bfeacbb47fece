//! Searching for courses and lessons.

use domain::access::Role;
use serde_json::json;

use crate::harness::hub::Hub;

#[tokio::test]
async fn an_exact_id_match_comes_first() {
    let hub = Hub::start().await;
    hub.sql(
        r#"INSERT INTO courses (id, slug, titles) SELECT n, 'a-' || 900 + n, '{"es": "Curso 7"}' FROM generate_series(1, 30) AS n;
        INSERT INTO lessons (id, course_id, title) SELECT n, 1, 'Lección 7' FROM generate_series(1, 30) AS n"#,
    )
    .await;
    let admin = hub.user(Role::Admin).await;
    let query = r#"{ courses(search: "7", first: 1) { id } lessons(search: "7", first: 1) { id } }"#;
    let found = hub.graphql(query).by(&admin.token).data().await;
    assert_eq!(found, json!({"courses": [{"id": "7"}], "lessons": [{"id": "7"}]}));
}
