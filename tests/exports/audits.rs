//! Export audits, as admins see them.

use domain::access::Role;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncReadExt as _;

use super::download::Exporter;

const FIELDS: &str = "nodes { user dataset format filters rows bytes sha256 outcome startedAt }";

#[tokio::test]
async fn an_audit_has_the_rows_size_and_checksum_of_the_file() {
    let exporter = Exporter::with_sample_rows().await;
    let request = json!({"dataset": "video_player_events", "format": "csv", "filters": {"date_from": "2026-11-01", "event": "play"}});
    let file = exporter.download(&request).await;
    let query = format!("{{ exportAudits {{ {FIELDS} totalCount }} }}");
    let audits = exporter.hub.graphql(&query).by(&exporter.admin.token).data().await;
    let expected = json!({
        "user": "admin@example.com",
        "dataset": "VIDEO_PLAYER_EVENTS",
        "format": "CSV",
        "filters": {"date_from": "2026-11-01", "event": "play"},
        "rows": 1.0,
        "bytes": f64::from(u32::try_from(file.len()).unwrap()),
        "sha256": hex::encode(Sha256::digest(&file)),
        "outcome": "COMPLETE",
        "startedAt": "2027-01-15T08:00:00+00:00",
    });
    assert_eq!(audits["exportAudits"], json!({"nodes": [expected], "totalCount": 1}));
    assert_eq!(exporter.count("SELECT count(*) FROM export_audits WHERE address = '127.0.0.1'").await, 1);
}

#[tokio::test]
async fn only_admins_can_page_through_audits() {
    let exporter = Exporter::with_sample_rows().await;
    for format in ["csv", "json", "ndjson"] {
        exporter.download(&json!({"dataset": "discord_practices", "format": format})).await;
    }
    let page = |arguments: &str| {
        let fields = "nodes { format } pageInfo { hasNextPage hasPreviousPage endCursor } totalCount";
        exporter.hub.graphql(&format!("{{ exportAudits({arguments}) {{ {fields} }} }}"))
    };
    let token = &exporter.admin.token;
    let first = page("first: 2").by(token).data().await["exportAudits"].take();
    assert_eq!(first["nodes"], json!([{"format": "NDJSON"}, {"format": "JSON"}]));
    assert_eq!((&first["totalCount"], &first["pageInfo"]["hasNextPage"]), (&json!(3), &json!(true)));
    let cursor = first["pageInfo"]["endCursor"].as_str().unwrap();
    let second =
        page(&format!("first: 2, after: \"{cursor}\"")).by(token).data().await["exportAudits"].take();
    assert_eq!(second["nodes"], json!([{"format": "CSV"}]));
    assert_eq!(second["pageInfo"]["hasNextPage"], false);
    assert_eq!(page("first: 501").by(token).code().await, "BAD_USER_INPUT");
    assert_eq!(page("after: \"x\"").by(token).code().await, "BAD_USER_INPUT");
    assert_eq!(page("first: 1").code().await, "UNAUTHENTICATED");
    for role in [Role::TeacherAdmin, Role::Teacher, Role::Student, Role::Service] {
        let other = exporter.hub.user(role).await;
        assert_eq!(page("first: 1").by(&other.token).code().await, "FORBIDDEN");
    }
}

#[tokio::test]
async fn an_export_without_a_heartbeat_is_aborted_after_a_minute() {
    let exporter = Exporter::new().await;
    let insert = "INSERT INTO export_audits (dataset, format, heartbeat_at) SELECT 'video_player_events', 'csv', \
        timestamptz '2027-01-15 08:00:00Z' - seconds * interval '1 second' FROM unnest(ARRAY[59, 61, NULL]) AS seconds";
    exporter.hub.sql(insert).await;
    let audits = exporter.hub.graphql("{ exportAudits { nodes { outcome } } }");
    let audits = audits.by(&exporter.admin.token).data().await;
    let expected = json!([{"outcome": "ABORTED"}, {"outcome": "ABORTED"}, {"outcome": "RUNNING"}]);
    assert_eq!(audits["exportAudits"]["nodes"], expected);
}

#[tokio::test]
async fn an_export_is_running_until_it_ends() {
    let exporter = Exporter::with_many_events().await;
    let link = exporter.link_path(&json!({"dataset": "video_player_events", "format": "csv"})).await;
    let mut stream = exporter.open_raw(&link).await;
    stream.read_exact(&mut [0; 4096]).await.unwrap();
    let outcome = async || {
        let audits = exporter.hub.graphql("{ exportAudits { nodes { outcome } } }");
        audits.by(&exporter.admin.token).data().await["exportAudits"]["nodes"][0]["outcome"].take()
    };
    assert_eq!(outcome().await, "RUNNING");
    drop(stream);
    exporter.wait_for_count(1, "SELECT count(*) FROM export_audits WHERE rows > 0").await;
    assert_eq!(outcome().await, "ABORTED");
}
