//! Exported files are imported without changes, in every layout.

use domain::access::Role;
use serde_json::{Value, json};

use super::{ALL_OR_NOTHING, counts, hub, import};
use crate::harness::hub::{Hub, TestUser};

/// Rows that are difficult to write as CSV: formulas, escapes, quotes, line breaks and missing fields.
const ROWS: &str = r#"
    INSERT INTO student_activity_snapshots
        (captured_at, user_id, course_id, lesson_id, practice_package_id, category, scope, value, payload)
    VALUES
        ('2026-11-08 09:00Z', 7, 1, 11, NULL, 'custom', 'discord_practice', 1, '{"a": {"b": [null, true, 1.5]}}'),
        ('2026-11-08 09:00:00.001Z', 8, NULL, NULL, NULL, '=1+1', '''=1+1', 0, NULL),
        ('2026-10-25 00:30Z', 7, 1, NULL, NULL, '-cat', '''"@x', 2147483647, '[]'),
        ('2026-10-25 01:30:00.000001Z', 7, NULL, NULL, NULL, 'one, two; three', E'a\r\nb "c"', NULL, '{"raw": "-1"}'),
        ('1999-12-31 23:59:59.999999Z', 8, 1, NULL, NULL, '＝ñ', E'x\ty', NULL, '{"text": "line\n\"quoted\"; ''x'', 👵"}')
"#;

#[tokio::test]
async fn an_exported_file_is_imported_unchanged() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    hub.sql(ROWS).await;
    let before = export(&hub, &admin, json!({"format": "ndjson"})).await;
    let mut layouts = 0;
    for headers in ["keys", "labels"] {
        for (delimiter, decimal) in [(",", "."), (";", ","), (",", ","), (";", ".")] {
            for bom in [false, true] {
                for (locale, timezone) in [("es", "Europe/Madrid"), ("en", "America/Bogota"), ("en", "UTC")] {
                    let layout = json!({
                        "format": "csv", "headers": headers, "delimiter": delimiter, "decimal": decimal,
                        "bom": bom, "locale": locale, "timezone": timezone,
                    });
                    let file = export_bytes(&hub, &admin, layout.clone()).await;
                    let repeated = import(&hub, &admin, ALL_OR_NOTHING, file).await;
                    assert_eq!(
                        counts(&repeated),
                        json!(["DONE", 0, 5, 0]),
                        "all rows are duplicates: {layout}"
                    );
                    layouts += 1;
                }
            }
        }
    }
    assert_eq!(layouts, 48);

    for layout in [
        json!({"format": "csv", "headers": "keys"}),
        json!({"format": "json", "timezone": "Europe/Madrid"}),
        json!({"format": "ndjson", "timezone": "America/Bogota"}),
        json!({"format": "xlsx", "timezone": "America/Bogota", "names": "1"}),
        json!({"format": "xlsx", "timezone": "Europe/Madrid", "headers": "keys"}),
        json!({"format": "csv", "names": "1", "locale": "es"}),
        json!({"format": "csv", "names": "1", "headers": "keys"}),
    ] {
        let file = export_bytes(&hub, &admin, layout.clone()).await;
        let repeated = import(&hub, &admin, ALL_OR_NOTHING, file.clone()).await;
        assert_eq!(counts(&repeated), json!(["DONE", 0, 5, 0]), "{layout}");
        hub.sql("DELETE FROM student_activity_snapshots").await;
        let restored = import(&hub, &admin, ALL_OR_NOTHING, file).await;
        assert_eq!(counts(&restored), json!(["DONE", 5, 0, 0]), "{layout}");
        assert_eq!(export(&hub, &admin, json!({"format": "ndjson"})).await, before, "{layout}");
    }
}

async fn export(hub: &Hub, admin: &TestUser, layout: Value) -> String {
    String::from_utf8(export_bytes(hub, admin, layout).await).unwrap()
}

async fn export_bytes(hub: &Hub, admin: &TestUser, mut layout: Value) -> Vec<u8> {
    layout["dataset"] = json!("student_activity_snapshots");
    let links = hub.http.post(hub.url("/admin/data-porter/export-links")).bearer_auth(&admin.token);
    let link: Value = links.json(&layout).send().await.unwrap().json().await.unwrap();
    let path = link["url"].as_str().unwrap_or_else(|| panic!("{link}"));
    let file = hub.http.get(hub.url(path)).send().await.unwrap();
    assert_eq!(file.status(), 200);
    file.bytes().await.unwrap().to_vec()
}
