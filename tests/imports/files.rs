//! Which files are accepted, and the errors for others.

use std::fmt::Write as _;

use domain::access::Role;
use serde_json::json;

use super::{ALL_OR_NOTHING, IMPORT, SKIP_INVALID, file_error, hub, import, send, student_snapshots};
use crate::harness::hub::Hub;

#[tokio::test]
async fn a_file_that_is_not_a_csv_is_rejected_with_its_type() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let mut errors = String::new();
    for file in [
        &b""[..],
        b" \r\n",
        b"PK\x03\x04\x14\x00\x06\x00",
        b"[{\"user_id\": 7}]",
        b"{\"user_id\": 7}\n",
        b"u\x00s\x00",
        b"user_id\n7\x00\n",
        b"user_id,scope\n7,ma\xf1ana\n",
        b"user_id,scope\n7,\"open\n8,x\n",
        b"user_id,scope\n7,x\n8,say \"x\"\n",
        b"user_id,scope\n7,\"open\n8,\"x\"\n",
        b"user_id,colour,taste\n7,red,sour\n",
        b"course_id\n1\n",
        b"user_id,value,valor\n7,1,1\n",
    ] {
        writeln!(errors, "{}", file_error(&hub, &admin, file).await).unwrap();
    }
    insta::assert_snapshot!(errors);
    let history = "{ imports(first: 1) { totalCount nodes { state message rowsRead } } }";
    let history = hub.graphql(history).by(&admin.token).data().await;
    assert_eq!(history["imports"]["totalCount"], 14);
    assert_eq!(history["imports"]["nodes"][0]["state"], "REJECTED");
}

#[tokio::test]
async fn file_size_and_row_count_are_limited() {
    let hub = Hub::with(|config| {
        config.imports.max_bytes = 2000;
        config.imports.max_rows = 2;
    })
    .await;
    let admin = hub.user(Role::Admin).await;
    let rows = format!("user_id\n{}\n{}\n{}\n", admin.id, admin.id, admin.id);
    assert_eq!(file_error(&hub, &admin, rows).await, "file: The file has too many rows. Accepted: up to 2.");
    let large = send(&hub, &admin, ALL_OR_NOTHING, format!("user_id\n{}\n", " ".repeat(2000))).await;
    assert_eq!((large.status, large.code().as_str()), (413, "BAD_USER_INPUT"));
    assert_eq!(large.body["detail"], "The request is too large. Accepted: up to 2000 bytes.");
}

#[tokio::test]
async fn a_missing_file_is_rejected() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    for file in [json!("#__graphql_file__:0"), json!("#__graphql_file__:x"), json!("x")] {
        let variables = json!({"file": file, "dataset": ALL_OR_NOTHING.dataset, "mode": ALL_OR_NOTHING.mode, "dryRun": false});
        let code = hub.graphql(IMPORT).by(&admin.token).variables(variables).code().await;
        assert_eq!(code, "BAD_USER_INPUT", "{file}");
    }
}

#[tokio::test]
async fn translated_column_headers_are_recognized() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    for file in [
        "\u{feff}Capturado;ID de estudiante;Correo del estudiante;Valor;Ámbito\r\n\r\n2026-11-16;7;x@y.z;1;a;b\r\n;;;;\r\n",
        "\u{feff}Capturado;ID de estudiante;Correo del estudiante;Valor;Ámbito\r\n\r\n2026-11-16;7;x@y.z;1;\"a;b\"\r\n;;;;\r\n",
        "scope,value,Student e-mail,Student ID,captured at\n\"a;b\",1,,7,2026-11-16",
    ] {
        import(&hub, &admin, SKIP_INVALID, file).await;
    }
    assert_eq!(student_snapshots(&hub).await, ["2026-11-16 00:00:00+00 7 custom a;b 1"]);
}

#[tokio::test]
async fn spaces_around_text_are_removed_so_that_filters_find_it() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let file = "user_id,category,scope,captured_at\n7,\u{a0}quiz , module one ,2026-11-16\n";
    import(&hub, &admin, ALL_OR_NOTHING, file).await;
    assert_eq!(student_snapshots(&hub).await, ["2026-11-16 00:00:00+00 7 quiz module one"]);
    let found = r#"{ studentActivitySnapshots(filter: {category: "quiz "}) { nodes { scope } } }"#;
    let found = hub.graphql(found).by(&admin.token).data().await;
    assert_eq!(found["studentActivitySnapshots"]["nodes"], json!([{"scope": "module one"}]));
}
