//! Duplicate rows and repeated files.

use chrono::TimeDelta;
use domain::access::Role;
use serde_json::json;

use super::{ALL_OR_NOTHING, HEADER, counts, hub, import, student_snapshots};
use backend::models::snapshot_table::SnapshotTable;
use backend::models::staged_snapshot::{CREATE_TABLE, record_pages};

#[tokio::test]
async fn existing_rows_are_not_inserted_again() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let first = format!(
        "{HEADER}\n7,1,,,a,s,1,\"{{\"\"x\"\":1,\"\"y\"\":2}}\",2026-11-16T00:00:00Z\n7,,,,a,,,,2026-11-16\n"
    );
    import(&hub, &admin, ALL_OR_NOTHING, first).await;
    let second = format!(
        "{HEADER}\n7,1,,,a,s,1,\"{{ \"\"y\"\": 2.0, \"\"x\"\": 1 }}\",2026-11-16T01:00:00+01:00\n7,,,,a,,,,2026-11-16\n\
         7,,,,a,,0,,2026-11-16\n7,,,,a,,0,,2026-11-16\n7,1,,,a,,,,2026-11-16\n"
    );
    assert_eq!(counts(&import(&hub, &admin, ALL_OR_NOTHING, second).await), json!(["DONE", 2, 3, 0]));
}

#[tokio::test]
async fn a_repeated_file_inserts_nothing_even_without_dates() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let file = "user_id,value\n7,1\n8,2\n";
    assert_eq!(counts(&import(&hub, &admin, ALL_OR_NOTHING, file).await), json!(["DONE", 2, 0, 0]));
    for _ in 0..2 {
        hub.clock.advance(TimeDelta::minutes(1));
        assert_eq!(counts(&import(&hub, &admin, ALL_OR_NOTHING, file).await), json!(["DONE", 0, 2, 0]));
    }
    let different = "user_id,value\n7,1\n8,2\n\n";
    assert_eq!(counts(&import(&hub, &admin, ALL_OR_NOTHING, different).await), json!(["DONE", 2, 0, 0]));
}

#[tokio::test]
async fn the_same_file_sent_twice_at_once_is_imported_once() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let file = "user_id,value,captured_at\n7,1,2026-11-16\n8,2,2026-11-16\n";
    let (one, two) =
        tokio::join!(import(&hub, &admin, ALL_OR_NOTHING, file), import(&hub, &admin, ALL_OR_NOTHING, file));
    let inserted = one["rowsInserted"].as_i64().unwrap() + two["rowsInserted"].as_i64().unwrap();
    assert_eq!((inserted, student_snapshots(&hub).await.len()), (2, 2));
}

/// The one plan is made while the table is empty, and used when it is large.
#[tokio::test]
async fn duplicates_are_found_by_their_hash_even_if_the_plan_was_made_for_an_empty_table() {
    let hub = hub().await;
    let client = hub.database.client().await;
    for table in SnapshotTable::ALL {
        client.batch_execute(&format!("BEGIN; {CREATE_TABLE}; ANALYZE {}", table.name())).await.unwrap();
        let record = record_pages(table);
        client.batch_execute(&format!("PREPARE record AS {record}")).await.unwrap();
        let explain = "EXPLAIN (COSTS off) EXECUTE record (1, now(), now(), '(0,0)', '(9,0)')";
        let plan: Vec<String> =
            client.query(explain, &[]).await.unwrap().iter().map(|row| row.get::<_, String>(0)).collect();
        let (index, person) =
            (format!("{}_{}_idx", table.name(), table.person_column()), table.person_column());
        let lookup =
            plan.iter().position(|line| line.contains(&format!("Index Scan using {index}"))).unwrap();
        let condition = &plan[lookup + 1];
        let expected = format!("Index Cond: (({person} = \"row\".person_id) AND (hash_record_extended(");
        assert!(condition.trim_start().starts_with(&expected), "{plan:#?}");
        assert!(!plan.iter().any(|line| line.contains("Seq Scan")), "{plan:#?}");
        client.batch_execute("ROLLBACK; DEALLOCATE record").await.unwrap();
    }
}
