//! Calls and commands whose process is killed, and the same again: the state is that of an undisturbed run.

use domain::access::TokenScope;
use serde_json::{Value, json};

use super::{PUBLISH, Platform, cancelled, consumed, purchased, reserved};
use crate::harness::blocker::{Blocker, wait_for};
use crate::sync::program::{serve_by, without_drivers};

/// A batch that touches every table. Its times are before the system clock's.
fn batch() -> Value {
    let at = || json!({"occurredAt": "2026-01-02T03:04:05Z"});
    let seat = |id: &str| json!({"reservationId": id, "occurredAt": "2026-01-02T03:04:05Z"});
    json!([
        purchased(21, 101, json!({"orderId": "81", "paidAt": "2026-01-01T00:00:00Z"})),
        reserved(31, 101, seat("91")),
        reserved(31, 102, seat("92")),
        consumed("81", at()),
        cancelled(31, 102, at()),
        reserved(36, 103, seat("93")),
        reserved(36, 104, seat("94")),
    ])
}

/// Waits until the sessions of a killed process have ended.
async fn wait_for_end(platform: &Platform) {
    let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle' \
        AND pid <> pg_backend_pid()";
    wait_for(&platform.hub, others, 0).await.expect("the sessions of the killed process end");
}

#[tokio::test]
async fn a_batch_whose_server_is_killed_is_applied_completely_by_the_next_call() {
    let undisturbed = Platform::start().await;
    let events = batch();
    undisturbed.publish(events.clone()).await;
    let expected = undisturbed.everything().await;

    let platform = Platform::start().await;
    let token = platform.hub.api_token(platform.service.id, &[TokenScope::Platform]).await;
    // In the order of a batch: locking, writing orders, reservations, snapshots, and the record of the events.
    for table in [
        "discord_practices",
        "practice_package_orders",
        "discord_practice_reservations",
        "student_activity_snapshots",
        "platform_events",
    ] {
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--no-scheduler"];
        let (mut server, address) = serve_by(without_drivers(&platform.hub.database, &arguments)).await;
        // Reading is allowed, so that the call gets as far as the first write.
        let mode = if table == "discord_practices" { "ACCESS EXCLUSIVE" } else { "EXCLUSIVE" };
        let blocker = Blocker::new(&platform.hub, &format!("LOCK TABLE {table} IN {mode} MODE")).await;
        let request = platform.hub.http.post(format!("{address}/graphql"));
        let body = json!({"query": PUBLISH, "variables": {"events": events}});
        let request = request.bearer_auth(&token).json(&body);
        let sent = tokio::spawn(request.send());
        Blocker::is_reached(&platform.hub).await;
        server.start_kill().unwrap();
        server.wait().await.unwrap();
        drop(blocker);
        assert!(sent.await.unwrap().is_err(), "the server answers nothing: {table}");
        wait_for_end(&platform).await;
        let left = platform.count("SELECT count(*) FROM platform_events").await;
        assert!(left == 0 || table == "platform_events", "{table}");
    }
    // The batch may have been committed after the last kill.
    let results = platform.publish(events).await;
    assert_eq!(results.iter().filter(|result| result["error"].is_null()).count(), 6, "{results:?}");
    assert_eq!(platform.everything().await, expected);
}

#[tokio::test]
async fn an_attendance_command_that_is_killed_is_completed_by_the_next_one() {
    let setup = "
        INSERT INTO discord_practices (id, lesson_id, title, start_at)
            SELECT id, 11, 'P' || id, '2026-01-01T10:00Z'::timestamptz + id * interval '1 minute' FROM generate_series(1001, 1250) AS id;
        INSERT INTO discord_practice_reservations (id, practice_id, user_id, status, reserved_at, cancelled_at)
            SELECT practice * 10 + place, practice, 100 + place, CASE WHEN place = 3 THEN 'cancelled' ELSE 'confirmed' END,
                '2026-01-01T00:00Z', CASE WHEN place = 3 THEN '2026-01-01T09:00Z'::timestamptz END
            FROM generate_series(1001, 1250) AS practice, generate_series(1, 3) AS place";
    let outcome = "SELECT r.id, r.status, r.attended_at, p.status AS practice, \
            (SELECT count(*) FROM student_activity_snapshots WHERE (payload ->> 'reservation_id')::bigint = r.id) AS snapshots \
        FROM discord_practice_reservations AS r JOIN discord_practices AS p ON p.id = r.practice_id ORDER BY r.id";
    let undisturbed = Platform::start().await;
    undisturbed.hub.sql(setup).await;
    run(&undisturbed, &[]).await;
    let expected = undisturbed.hub.rows(outcome).await;
    assert_eq!(expected.as_array().unwrap().len(), 750);

    let platform = Platform::start().await;
    platform.hub.sql(setup).await;
    // The first batch, when it marks reservations and when it inserts snapshots, and the second batch.
    let completed = "SELECT count(*) FROM discord_practices WHERE status = 'completed'";
    for (blocking, done) in [
        ("LOCK TABLE discord_practice_reservations IN EXCLUSIVE MODE", 0),
        ("LOCK TABLE student_activity_snapshots IN EXCLUSIVE MODE", 0),
        ("UPDATE discord_practice_reservations SET order_id = NULL WHERE id = 11501", 100),
    ] {
        let blocker = Blocker::new(&platform.hub, blocking).await;
        let arguments = ["practices:sync-attendance", "--limit", "1000"];
        let mut command = without_drivers(&platform.hub.database, &arguments).spawn().unwrap();
        Blocker::is_reached(&platform.hub).await;
        command.start_kill().unwrap();
        command.wait().await.unwrap();
        drop(blocker);
        wait_for_end(&platform).await;
        // PostgreSQL may still have executed the statement that was blocked, but not the commit after it.
        assert_eq!(platform.count(completed).await, done, "{blocking}");
    }
    let (first, second) = tokio::join!(run(&platform, &[]), run(&platform, &[]));
    assert!(first + second <= 250, "{first} and {second}");
    run(&platform, &[]).await;
    assert_eq!(platform.hub.rows(outcome).await, expected);
    assert_eq!(platform.count("SELECT count(*) FROM student_activity_snapshots").await, 750);
}

/// Runs the command, and returns the number of practices.
async fn run(platform: &Platform, more: &[&str]) -> i64 {
    let arguments = [&["practices:sync-attendance", "--limit", "1000", "--json"][..], more].concat();
    let output = without_drivers(&platform.hub.database, &arguments).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    report["practices"].as_i64().unwrap()
}
