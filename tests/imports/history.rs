//! The import history.

use domain::access::Role;
use serde_json::{Value, json};

use super::{ALL_OR_NOTHING, SKIP_INVALID, hub, import};
use crate::harness::hub::{Hub, NOW, TestUser};
use crate::harness::statements::Statements;

#[tokio::test]
async fn a_teacher_admin_sees_only_their_own_imports() {
    let hub = hub().await;
    let (admin, teacher) = (hub.user(Role::Admin).await, hub.user(Role::TeacherAdmin).await);
    hub.academy.grant_manage_settings(teacher.id).await;
    let teachers_import =
        import(&hub, &teacher, SKIP_INVALID, "user_id,course_id,value\n7,1,1\n7,1,secret\n").await;
    let admins_import =
        import(&hub, &admin, SKIP_INVALID, "user_id,course_id,value\n7,1,2\n7,1,secret\n").await;

    let one = "query ($id: ID!) { import(id: $id) { rejectedRows { value } } }";
    let request =
        |by: &TestUser, import: &Value| hub.graphql(one).by(&by.token).variables(json!({"id": import["id"]}));
    assert_eq!(request(&teacher, &admins_import).data().await["import"], Value::Null);
    for by in [&admin, &teacher] {
        assert_eq!(
            request(by, &teachers_import).data().await["import"]["rejectedRows"][0]["value"],
            "secret"
        );
    }
    let all = "{ imports { totalCount nodes { id } } }";
    let visible = hub.graphql(all).by(&teacher.token).data().await;
    assert_eq!(visible["imports"], json!({"totalCount": 1, "nodes": [{"id": teachers_import["id"]}]}));
    let visible = hub.graphql(all).by(&admin.token).data().await;
    assert_eq!(visible["imports"]["totalCount"], 2);
}

#[tokio::test]
async fn the_history_is_paged_newest_first() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let mut imported = Vec::new();
    for value in 0..3 {
        imported.push(
            import(&hub, &admin, ALL_OR_NOTHING, format!("user_id,value\n7,{value}\n")).await["id"].take(),
        );
    }
    let page = "query ($after: String) {
        imports(first: 2, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }
    }";
    let first = hub.graphql(page).by(&admin.token).data().await["imports"].take();
    assert_eq!(first["nodes"], json!([{"id": imported[2]}, {"id": imported[1]}]));
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    let after = json!({"after": first["pageInfo"]["endCursor"]});
    let second = hub.graphql(page).by(&admin.token).variables(after).data().await["imports"].take();
    assert_eq!(second["nodes"], json!([{"id": imported[0]}]));
    assert_eq!(second["pageInfo"]["hasNextPage"], false);
}

#[tokio::test]
async fn an_import_whose_process_died_is_reported_as_failed() {
    let hub = Hub::start().await;
    let admin = hub.user(Role::Admin).await;
    hub.sql(&format!(
        "INSERT INTO imports (dataset, mode, dry_run, filename, size_bytes, imported_by, started_at) \
         SELECT 'student_activity_snapshots', 'all_or_nothing', false, name, 1, {}, '{NOW}'::timestamptz - age \
         FROM (VALUES ('dead', interval '1 hour'), ('alive', '1 hour'), ('young', '1 second')) AS v (name, age)",
        admin.id
    ))
    .await;
    let worker = hub.database.client().await;
    worker
        .batch_execute(
            "BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('import alive', id)) FROM imports \
             WHERE filename = 'alive'",
        )
        .await
        .unwrap();
    let mut conn = hub.app.pool.get().await.unwrap();
    backend::import::close_abandoned(&hub.app, &mut conn).await.unwrap();

    let query = "{ imports { nodes { filename state message finishedAt } } }";
    let response = hub.graphql(query).by(&admin.token).data().await;
    let import_named = |name: &str| {
        let all = response["imports"]["nodes"].as_array().unwrap();
        all.iter().find(|import| import["filename"] == name).unwrap().clone()
    };
    assert_eq!(import_named("dead")["state"], "FAILED");
    assert!(import_named("dead")["message"].as_str().unwrap().contains("no se escribió nada"));
    assert_eq!(import_named("alive")["state"], "RUNNING");
    assert_eq!(import_named("young")["state"], "RUNNING");
}

#[tokio::test]
async fn rejected_rows_of_many_imports_are_read_in_one_statement() {
    let hub = Hub::start().await;
    let admin = hub.user(Role::Admin).await;
    let statements = Statements::of(&hub.app.pool).await;
    let mut statement_counts = Vec::new();
    for files in [1, 4] {
        for file in 0..files {
            import(&hub, &admin, ALL_OR_NOTHING, format!("user_id\n{}\nx\nfile {files}.{file}\n", admin.id))
                .await;
        }
        statements.take();
        let query = "{ imports(first: 100) { nodes { rejectedRows(first: 1) { line value } } } }";
        let response = hub.graphql(query).by(&admin.token).data().await;
        for import in response["imports"]["nodes"].as_array().unwrap() {
            assert_eq!(import["rejectedRows"], json!([{"line": 3, "value": "x"}]));
        }
        statement_counts.push(statements.take().len());
    }
    assert_eq!(statement_counts[0], statement_counts[1]);
}
