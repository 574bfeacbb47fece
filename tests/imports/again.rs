//! Rows and files that come again.

use chrono::TimeDelta;
use domain::access::Role;
use serde_json::json;

use super::{ALL, HEADER, counts, hub, import, students};

#[tokio::test]
async fn rows_that_are_already_there_are_not_inserted_again() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let first = format!(
        "{HEADER}\n7,1,,,a,s,1,\"{{\"\"x\"\":1,\"\"y\"\":2}}\",2026-11-16T00:00:00Z\n7,,,,a,,,,2026-11-16\n"
    );
    import(&hub, &admin, ALL, first).await;
    let second = format!(
        "{HEADER}\n7,1,,,a,s,1,\"{{ \"\"y\"\": 2.0, \"\"x\"\": 1 }}\",2026-11-16T01:00:00+01:00\n7,,,,a,,,,2026-11-16\n\
         7,,,,a,,0,,2026-11-16\n7,,,,a,,0,,2026-11-16\n7,1,,,a,,,,2026-11-16\n"
    );
    assert_eq!(counts(&import(&hub, &admin, ALL, second).await), json!(["DONE", 2, 3, 0]));
}

#[tokio::test]
async fn a_file_that_comes_again_holds_nothing_new_even_without_dates() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let file = "user_id,value\n7,1\n8,2\n";
    assert_eq!(counts(&import(&hub, &admin, ALL, file).await), json!(["DONE", 2, 0, 0]));
    for _ in 0..2 {
        hub.clock.advance(TimeDelta::minutes(1));
        assert_eq!(counts(&import(&hub, &admin, ALL, file).await), json!(["DONE", 0, 2, 0]));
    }
    let another = "user_id,value\n7,1\n8,2\n\n";
    assert_eq!(counts(&import(&hub, &admin, ALL, another).await), json!(["DONE", 2, 0, 0]));
}

#[tokio::test]
async fn the_same_file_twice_at_once_is_imported_once() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let file = "user_id,value,captured_at\n7,1,2026-11-16\n8,2,2026-11-16\n";
    let (one, two) = tokio::join!(import(&hub, &admin, ALL, file), import(&hub, &admin, ALL, file));
    let inserted = one["rowsInserted"].as_i64().unwrap() + two["rowsInserted"].as_i64().unwrap();
    assert_eq!((inserted, students(&hub).await.len()), (2, 2));
}
