//! The file of rejected rows, and templates.

use chrono::TimeDelta;
use domain::access::Role;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{ALL_OR_NOTHING, SKIP_INVALID, counts, hub, import};
use crate::harness::hub::{Hub, TestUser};

/// The link to the rejected rows of an import.
async fn link(hub: &Hub, by: &TestUser, import: &Value, language: &str) -> Value {
    let query = "query ($id: ID!) { import(id: $id) { rejectedRowsUrl } }";
    let request = hub.graphql(query).by(&by.token).header("accept-language", language);
    request.variables(json!({"id": import["id"]})).data().await["import"]["rejectedRowsUrl"].take()
}

async fn download(hub: &Hub, path: &Value) -> (StatusCode, String) {
    let response = hub.http.get(hub.url(path.as_str().unwrap())).send().await.unwrap();
    (response.status(), response.text().await.unwrap())
}

#[tokio::test]
async fn rejected_rows_can_be_corrected_and_imported_again() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let file = "Valor;user_id;scope\r\n1;7;good\r\nuno;7;\"=a;\"\"b\"\"\"\r\n2;99;\"two\r\nlines\"\r\n3;7\r\n4;7;x;y\r\n";
    let imported = import(&hub, &admin, SKIP_INVALID, file).await;
    assert_eq!(counts(&imported), json!(["DONE", 1, 0, 4]));

    let (status, spanish) = download(&hub, &link(&hub, &admin, &imported, "es").await).await;
    assert_eq!(status, StatusCode::OK);
    insta::assert_snapshot!(spanish.replace("\r\n", "\n"), @r#"
    ﻿Valor;user_id;scope;line;error
    uno;7;"'=a;""b""";3;value: Se acepta un número entero de 0 a 2147483647, o en blanco.
    2;99;"two
    lines";4;user_id: No existe nada con este identificador.
    3;7;;6;El número de celdas de la fila no coincide con el del encabezado.
    4;7;x;7;El número de celdas de la fila no coincide con el del encabezado.;y
    "#);
    let dry_run = super::ImportOptions { dry_run: true, ..SKIP_INVALID };
    let again = import(&hub, &admin, dry_run, spanish.as_str()).await;
    // The row without its last cell is complete by now.
    assert_eq!(counts(&again), json!(["DONE", 1, 0, 3]));
    let (_, again) = download(&hub, &link(&hub, &admin, &again, "es").await).await;
    assert_eq!(again.lines().next(), spanish.lines().next(), "the columns are replaced");

    let corrected = spanish.replace("uno;", "5;").replace("2;99;", "2;8;").replace("3;7;;", "3;7;z;");
    let corrected = corrected
        .replace("4;7;x;7;El número de celdas de la fila no coincide con el del encabezado.;y", "4;7;x;;");
    assert_eq!(counts(&import(&hub, &admin, ALL_OR_NOTHING, corrected).await), json!(["DONE", 4, 0, 0]));
    let scopes = "SELECT value, scope FROM student_activity_snapshots ORDER BY value";
    assert_eq!(
        hub.rows(scopes).await,
        json!([
            {"value": 1, "scope": "good"}, {"value": 2, "scope": "two\r\nlines"}, {"value": 3, "scope": "z"},
            {"value": 4, "scope": "x"}, {"value": 5, "scope": "=a;\"b\""},
        ])
    );
    assert_eq!(
        link(&hub, &admin, &import(&hub, &admin, ALL_OR_NOTHING, "user_id\n7\n").await, "en").await,
        Value::Null
    );
}

#[tokio::test]
async fn rejected_rows_of_json_have_the_columns_of_the_dataset() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let file = "{\"user_id\": 99, \"payload\": {\"a\": [1]}, \"scope\": \"x\\u0000\"}\nnot json\n{\"user_id\": 99, \"value\": null}\n";
    let imported = import(&hub, &admin, ALL_OR_NOTHING, file).await;
    let (_, english) = download(&hub, &link(&hub, &admin, &imported, "en").await).await;
    insta::assert_snapshot!(english.replace("\r\n", "\n"), @r#"
    ﻿user_id,course_id,lesson_id,practice_package_id,category,scope,value,payload,captured_at,line,error
    99,,,,,x�,,"{""a"": [1]}",,1,scope: The text contains a null character.
    not json,,,,,,,,,2,"Accepted: a JSON object, in NDJSON on one line: {""user_id"": 7, ""value"": 3}."
    99,,,,,,,,,3,user_id: Nothing with this ID exists.
    "#);
}

#[tokio::test]
async fn guarded_cells_are_guarded_once() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let imported = import(&hub, &admin, ALL_OR_NOTHING, "user_id,scope,value\n7,'=1+1,x\n").await;
    let (_, file) = download(&hub, &link(&hub, &admin, &imported, "en").await).await;
    assert!(file.contains("7,'=1+1,x,"), "{file}");
    let corrected = file.replace("'=1+1,x,", "'=1+1,5,");
    assert_eq!(counts(&import(&hub, &admin, ALL_OR_NOTHING, corrected).await), json!(["DONE", 1, 0, 0]));
    let scope = "SELECT scope FROM student_activity_snapshots";
    assert_eq!(hub.rows(scope).await, json!([{"scope": "=1+1"}]));
}

#[tokio::test]
async fn many_rejected_rows_are_complete_and_in_order() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let rows: String = (0..2_500).map(|row| format!("x{row}\n")).collect();
    let imported = import(&hub, &admin, ALL_OR_NOTHING, format!("user_id\n{rows}")).await;
    let (_, file) = download(&hub, &link(&hub, &admin, &imported, "en").await).await;
    let lines: Vec<&str> = file.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(lines, (0..2_500).map(|row| format!("x{row}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn large_rejected_rows_are_complete() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let scope = |row: usize| char::from(b'a' + u8::try_from(row).unwrap()).to_string().repeat(700_000);
    let rows: String = (0..7).map(|row| format!("x{row},{}\n", scope(row))).collect();
    let imported = import(&hub, &admin, ALL_OR_NOTHING, format!("user_id,scope\n{rows}")).await;
    assert_eq!(imported["rowsRejected"], 7);
    let (_, file) = download(&hub, &link(&hub, &admin, &imported, "en").await).await;
    let found: Vec<&str> = file.lines().skip(1).collect();
    for (row, found) in found.iter().enumerate() {
        assert!(found.starts_with(&format!("x{row},{},{},", scope(row), row + 2)), "row {row}");
    }
    assert_eq!(found.len(), 7);
}

#[tokio::test]
async fn only_the_importer_and_admins_get_rejected_rows() {
    let hub = hub().await;
    let (admin, teacher) = (hub.user(Role::Admin).await, hub.user(Role::TeacherAdmin).await);
    hub.academy.grant_manage_settings(teacher.id).await;
    let imported = import(&hub, &teacher, SKIP_INVALID, "user_id,course_id\n7,1\n7,secret\n").await;
    let (by_admin, by_teacher) =
        (link(&hub, &admin, &imported, "en").await, link(&hub, &teacher, &imported, "en").await);
    for path in [&by_admin, &by_teacher] {
        assert!(download(&hub, path).await.1.contains("secret"));
    }
    let path = by_teacher.as_str().unwrap();
    let user = format!("user={}", teacher.id);
    for forged in [
        path.replace(&user, &format!("user={}", admin.id)),
        path.replace("locale=en", "locale=es"),
        path.replace("rejected-rows", "export"),
        format!("{path}x"),
        format!("{path}&locale=es"),
    ] {
        assert_ne!(forged, path);
        assert_eq!(download(&hub, &json!(forged)).await.0, StatusCode::FORBIDDEN, "{forged}");
    }
    hub.sql(&format!("UPDATE users SET role = 'student' WHERE id = {}", teacher.id)).await;
    assert_eq!(download(&hub, &by_teacher).await.0, StatusCode::FORBIDDEN);
    hub.clock.advance(TimeDelta::minutes(5));
    assert_eq!(download(&hub, &by_admin).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn templates_can_be_imported() {
    let hub = hub().await;
    let (admin, teacher) = (hub.user(Role::Admin).await, hub.user(Role::TeacherAdmin).await);
    hub.academy.grant_manage_settings(teacher.id).await;
    let template = async |by: &TestUser, dataset: &str, locale: &str| {
        let path = format!("/admin/data-porter/import-templates/{dataset}?locale={locale}");
        let response = hub.http.get(hub.url(&path)).bearer_auth(&by.token).send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    };
    for by in [&admin, &teacher] {
        for locale in ["es", "en"] {
            let (status, file) = template(by, "student_activity_snapshots", locale).await;
            assert_eq!(status, StatusCode::OK);
            let dry_run = super::ImportOptions { dry_run: true, ..ALL_OR_NOTHING };
            assert_eq!(counts(&import(&hub, by, dry_run, file).await), json!(["DONE", 1, 0, 0]));
        }
    }
    let (_, spanish) = template(&admin, "student_activity_snapshots", "es").await;
    insta::assert_snapshot!(spanish.replace("\r\n", "\n").replace(&format!("\n{};", admin.id), "\nID;"), @r#"
    ﻿ID de estudiante;ID de curso;ID de lección;ID de pack;Categoría;Ámbito;Valor;Datos;Capturado
    ID;1;;;custom;;1;"{""nota"": ""ejemplo""}";2027-01-15
    "#);
    assert_eq!(template(&admin, "teacher_activity_snapshots", "en").await.0, StatusCode::OK);
    assert_eq!(template(&teacher, "teacher_activity_snapshots", "en").await.0, StatusCode::FORBIDDEN);
    assert_eq!(template(&admin, "video_player_events", "en").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        template(&admin, "student_activity_snapshots", "fr").await.0,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let (status, problem) = template(&admin, "student_activity_snapshots", "en&locale=es").await;
    assert!(status == StatusCode::UNPROCESSABLE_ENTITY && problem.contains("BAD_USER_INPUT"), "{problem}");
    let student = hub.user(Role::Student).await;
    assert_eq!(template(&student, "student_activity_snapshots", "en").await.0, StatusCode::FORBIDDEN);
}
