//! `practices:sync-attendance`, as a command and in the schedule.

use backend::jobs::job::Job;
use backend::jobs::schedule::{ScheduledRun, run_if_due};
use backend::practices::attendance::{self, Report};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{Platform, cancelled, reserved};
use crate::harness::hub::NOW;
use crate::sync::program::without_drivers;

impl Platform {
    /// Adds a practice of an hour that ends at this time, and a confirmed reservation of it.
    async fn practice(&self, id: i64, ends_at: DateTime<Utc>, status: &str) {
        self.hub
            .sql(&format!(
                "INSERT INTO discord_practices (id, lesson_id, title, status, start_at)
                    VALUES ({id}, 11, 'P', '{status}', '{}');
                INSERT INTO discord_practice_reservations (practice_id, user_id, reserved_at) VALUES ({id}, 101, '2027-01-01')",
                ends_at - TimeDelta::hours(1)
            ))
            .await;
    }

    async fn record(&self) -> Report {
        attendance::record(&self.hub.app, 25).await.unwrap()
    }
}

#[tokio::test]
async fn attendance_is_due_45_minutes_after_the_end() {
    let platform = Platform::start().await;
    platform.hub.sql("DELETE FROM discord_practices WHERE id <> 31").await;
    platform.practice(41, NOW - TimeDelta::minutes(45), "scheduled").await;
    platform.practice(42, NOW - TimeDelta::minutes(45) + TimeDelta::microseconds(1), "scheduled").await;
    platform.practice(43, NOW - TimeDelta::hours(2), "cancelled").await;
    platform.practice(44, NOW - TimeDelta::hours(2), "completed").await;
    platform.hub.sql("UPDATE discord_practices SET end_at = start_at + interval '3 h' WHERE id = 44").await;
    let expected = Report { practices: 1, attended: 1, cancelled: 0, late: 0, remaining: 0 };
    assert_eq!(attendance::dry_run(&platform.hub.app, 25).await.unwrap(), expected);
    assert_eq!(platform.count("SELECT count(*) FROM student_activity_snapshots").await, 0);
    assert_eq!(platform.record().await, expected);
    assert_eq!(platform.record().await, Report::default());
    let query = "SELECT p.id, p.status, r.status AS seat, r.attended_at = p.start_at + interval '1 h' AS until_the_end \
        FROM discord_practices AS p JOIN discord_practice_reservations AS r ON r.practice_id = p.id ORDER BY p.id";
    let confirmed = |id: i64, status: &str| json!({"id": id, "status": status, "seat": "confirmed", "until_the_end": null});
    let expected = json!([
        {"id": 41, "status": "completed", "seat": "attended", "until_the_end": true},
        confirmed(42, "scheduled"), confirmed(43, "cancelled"), confirmed(44, "completed"),
    ]);
    assert_eq!(platform.hub.rows(query).await, expected);
    platform.hub.clock.advance(TimeDelta::hours(3));
    assert_eq!(platform.record().await.practices, 2);
    let categories = "SELECT category, count(*) FROM student_activity_snapshots GROUP BY 1";
    assert_eq!(platform.hub.rows(categories).await, json!([{"category": "practice_attendance", "count": 3}]));
}

#[tokio::test]
async fn a_cancellation_is_late_less_than_three_hours_before_the_start() {
    let platform = Platform::start().await;
    let start = NOW + TimeDelta::hours(2);
    platform.hub.sql("UPDATE discord_practices SET capacity = 8 WHERE id = 31").await;
    let early = start - TimeDelta::hours(3);
    let microsecond = TimeDelta::microseconds(1);
    for (user, at) in [(101, early), (102, early + microsecond), (103, early - microsecond)] {
        platform.apply(reserved(31, user, json!({"occurredAt": NOW - TimeDelta::days(1)}))).await;
        platform.apply(cancelled(31, user, json!({"occurredAt": at}))).await;
    }
    platform.apply(reserved(31, 104, json!({"status": "pending"}))).await;
    platform.hub.clock.advance(TimeDelta::hours(4));
    platform.hub.sql("DELETE FROM discord_practices WHERE id NOT IN (31)").await;
    let report = platform.record().await;
    assert_eq!(report, Report { practices: 1, attended: 0, cancelled: 3, late: 1, remaining: 0 });
    let query = "SELECT user_id, value, payload -> 'late' AS late, payload -> 'late_window_minutes' AS minutes \
        FROM student_activity_snapshots WHERE category = 'practice_cancellation' ORDER BY user_id";
    let row = |user: i64, late: bool| json!({"user_id": user, "value": 1, "late": late, "minutes": 180});
    assert_eq!(platform.hub.rows(query).await, json!([row(101, false), row(102, true), row(103, false)]));
    // A pending reservation has no outcome until it is confirmed.
    let open = "SELECT user_id, status FROM discord_practice_reservations WHERE outcome_recorded_at IS NULL";
    assert_eq!(platform.hub.rows(open).await, json!([{"user_id": 104, "status": "pending"}]));
    platform.apply(reserved(31, 104, json!({"occurredAt": NOW + TimeDelta::hours(1)}))).await;
    assert_eq!(platform.record().await, Report { practices: 1, attended: 1, ..Report::default() });
}

#[tokio::test]
async fn a_reservation_that_arrives_after_the_attendance_gets_its_own() {
    let platform = Platform::start().await;
    assert_eq!(platform.record().await, Report { practices: 1, ..Report::default() });
    let during = json!({"occurredAt": NOW - TimeDelta::hours(3)});
    platform.apply(reserved(35, 101, during.clone())).await;
    assert_eq!(platform.record().await, Report { practices: 1, attended: 1, ..Report::default() });
    // So does one after a cancellation that was recorded: it is another reservation.
    platform.apply(reserved(35, 102, during.clone())).await;
    platform.apply(cancelled(35, 102, during.clone())).await;
    assert_eq!(platform.record().await, Report { practices: 1, cancelled: 1, late: 1, ..Report::default() });
    platform.apply(reserved(35, 102, during)).await;
    assert_eq!(platform.record().await, Report { practices: 1, attended: 1, ..Report::default() });
    let outcomes = "SELECT count(DISTINCT payload ->> 'reservation_id') FROM student_activity_snapshots \
        WHERE category IN ('practice_attendance', 'practice_cancellation')";
    assert_eq!(platform.count(outcomes).await, 3);
    assert_eq!(platform.record().await, Report::default());
}

#[tokio::test]
async fn the_limit_takes_those_that_ended_first() {
    let platform = Platform::start().await;
    for (id, hours) in [(41, 2), (42, 4), (43, 3)] {
        platform.practice(id, NOW - TimeDelta::hours(hours), "scheduled").await;
    }
    let report = attendance::record(&platform.hub.app, 2).await.unwrap();
    assert_eq!((report.practices, report.attended, report.remaining), (2, 2, 2));
    assert_eq!(attendance::dry_run(&platform.hub.app, 1).await.unwrap().remaining, 1);
    let done = "SELECT id FROM discord_practices WHERE status = 'completed' ORDER BY id";
    assert_eq!(platform.hub.rows(done).await, json!([{"id": 42}, {"id": 43}]));
}

#[tokio::test]
async fn practices_that_others_change_are_left_for_the_next_run() {
    let platform = Platform::start().await;
    platform.practice(41, NOW - TimeDelta::hours(2), "scheduled").await;
    let mut blocker = platform.hub.database.client().await;
    let transaction = blocker.transaction().await.unwrap();
    transaction
        .execute("UPDATE discord_practices SET status = 'cancelled' WHERE id = 41", &[])
        .await
        .unwrap();
    let report = platform.record().await;
    assert_eq!((report.practices, report.remaining), (1, 1));
    transaction.commit().await.unwrap();
    assert_eq!(platform.record().await, Report::default());
}

#[tokio::test]
async fn a_practice_with_many_reservations_is_recorded_in_parts() {
    let platform = Platform::start().await;
    platform
        .hub
        .sql(
            "INSERT INTO users (id, name, email, role)
                SELECT id, 'S', 'many' || id || '@example.org', 'student' FROM generate_series(10001, 15000) AS id;
            INSERT INTO discord_practice_reservations (practice_id, user_id)
                SELECT 35, id FROM generate_series(10001, 15000) AS id",
        )
        .await;
    let report = platform.record().await;
    assert_eq!((report.practices, report.attended), (1, 5_000));
    let distinct = "SELECT count(DISTINCT payload ->> 'reservation_id') FROM student_activity_snapshots";
    assert_eq!(platform.count(distinct).await, 5_000);
}

#[tokio::test]
async fn the_schedule_records_attendance_every_half_hour() {
    let platform = Platform::start().await;
    let run =
        async || run_if_due(Job::SyncAttendance, &platform.hub.app, &CancellationToken::new()).await.unwrap();
    for id in 1..=120 {
        platform.practice(1000 + id, NOW - TimeDelta::hours(id), "scheduled").await;
    }
    assert_eq!(run().await, ScheduledRun::Done);
    let open = "SELECT count(*) FROM discord_practices WHERE status = 'scheduled' AND start_at < '2027-01-15T06:30Z'";
    assert_eq!(platform.count(open).await, 0);
    platform.hub.clock.advance(TimeDelta::minutes(29));
    assert_eq!(run().await, ScheduledRun::NotDue);
    platform.hub.clock.advance(TimeDelta::minutes(1));
    assert_eq!(run().await, ScheduledRun::Done);
    let metrics =
        platform.hub.http.get(platform.hub.url("/metrics")).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("dataporter_attendance_practices_total 121\n"), "{metrics}");
    assert!(
        metrics.contains("dataporter_attendance_outcomes_total{outcome=\"attended\"} 120\n"),
        "{metrics}"
    );
}

#[tokio::test]
async fn the_command_prints_one_line_or_one_object() {
    let platform = Platform::start().await;
    // The command uses the system clock.
    platform.practice(41, DateTime::UNIX_EPOCH + TimeDelta::days(20_000), "scheduled").await;
    let output = async |more: &[&str]| {
        let arguments = [&["practices:sync-attendance"][..], more].concat();
        let output = without_drivers(&platform.hub.database, &arguments).output().await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let json = output(&["--json", "--dry-run"]).await;
    let expected = json!({
        "practices": 1, "attended": 1, "cancelled": 0, "late": 0, "remaining": 0, "dryRun": true
    });
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), expected);
    let line = output(&["--limit=3"]).await;
    let numbers = "of 1 practices: 1 attended, 0 cancelled (0 late). Still due: 0 practices.";
    assert_eq!(line, format!("Recorded the attendance {numbers}\n"));
    let wrong = without_drivers(&platform.hub.database, &["practices:sync-attendance", "--limit=0"]);
    assert_eq!({ wrong }.output().await.unwrap().status.code(), Some(2));
}
