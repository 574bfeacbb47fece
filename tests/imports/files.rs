//! Which files are accepted, and the errors for others.

use std::fmt::Write as _;

use domain::access::Role;
use serde_json::json;

use super::{ALL_OR_NOTHING, IMPORT, SKIP_INVALID, counts, file_error, hub, import, send, student_snapshots};
use crate::harness::hub::Hub;

#[tokio::test]
async fn a_file_that_is_not_accepted_is_rejected_with_its_type() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let mut errors = String::new();
    for file in [
        &b""[..],
        b" \r\n",
        b"PK\x03\x04\x14\x00\x06\x00",
        b"[{\"user_id\": 7}",
        b"[{\"user_id\": 7},\n\n{user_id: 7}]",
        b"[{\"user_id\": 7}]\n[]",
        b"{\"user_id\": 7}\n{\"user_id\": 7, \"colour\": 1}\n",
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
    assert_eq!(history["imports"]["totalCount"], 16);
    assert_eq!(history["imports"]["nodes"][0]["state"], "REJECTED");
}

#[tokio::test]
async fn files_rows_columns_cells_and_nesting_are_limited() {
    let hub = Hub::with(|config| {
        config.imports.max_bytes = 2000;
        config.imports.max_rows = 2;
        config.imports.max_columns = 3;
        config.imports.max_row_bytes = 1024;
        config.imports.max_cell_bytes = 64;
        config.imports.max_nesting = 2;
    })
    .await;
    let admin = hub.user(Role::Admin).await;
    for (file, message) in [
        (
            "user_id,value,scope,category\n",
            "file: The row on line 1 has too many columns. Accepted: up to 3.",
        ),
        (
            &format!("user_id,scope\n1,{}\n", "x".repeat(1500)),
            "file: The row that starts on line 2 is longer than 1024 bytes. Is there an unclosed quote?",
        ),
    ] {
        assert_eq!(file_error(&hub, &admin, file).await, message);
    }
    let file = format!("user_id,scope,payload\n{id},{},\n{id},,[[[]]]\n", "x".repeat(65), id = admin.id);
    let rejected = import(&hub, &admin, SKIP_INVALID, file).await["rejectedRows"].take();
    let reasons = [&rejected[0], &rejected[1]].map(|row| json!([row["line"], row["column"], row["reason"]]));
    assert_eq!(
        reasons,
        [
            json!([2, "scope", "The cell is too long. Accepted: up to 64 bytes."]),
            json!([3, "payload", "The JSON is nested too deeply. Accepted: up to 2 levels."]),
        ]
    );
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

#[tokio::test]
async fn every_row_is_imported_across_read_boundaries() {
    /// How much of a file the server reads at once.
    const READ_BYTES: usize = 64 << 10;
    const ROW_BYTES: usize = 64;
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    for (shift, line_break) in [(0, "\n"), (0, "\r\n"), (1, "\r\n")] {
        let mut file = format!("{:\n<width$}", "user_id,value,scope", width = ROW_BYTES + shift);
        for row in 0..2500 {
            let width = ROW_BYTES - line_break.len();
            file += &format!("{:x<width$}{line_break}", format!("7,{row},{shift}{}", line_break.len()));
        }
        assert!(file.len() > 2 * READ_BYTES);
        let size = i64::try_from(file.len()).unwrap();
        assert_eq!(counts(&import(&hub, &admin, ALL_OR_NOTHING, file).await), json!(["DONE", 2500, 0, 0]));
        let read = "SELECT size_bytes, bytes_read FROM imports ORDER BY id DESC LIMIT 1";
        assert_eq!(hub.rows(read).await, json!([{"size_bytes": size, "bytes_read": size}]));
    }
}
