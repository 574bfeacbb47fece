//! `dataporter telemetry:monitor-backlog`.

use std::process::{Command, Output, Stdio};

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::harness::database::TestDatabase;
use crate::harness::hub::APP_KEY;
use stand_ins::smtp::SmtpServer;

pub(super) const GA4: (&str, &str) = ("GA4_ENABLED", "true");
pub(super) const LOW: (&str, &str) = ("TELEMETRY_ALERT_THRESHOLD", "2");

/// A database with two pending events and an admin.
pub(super) async fn backlog() -> TestDatabase {
    let database = TestDatabase::new().await;
    let rows =
        "INSERT INTO users (name, email, role, locale) VALUES ('Ana', 'ana@example.org', 'admin', 'en');
        INSERT INTO video_player_events (event, recorded_at, created_at)
        SELECT 'play', now() - interval '10 minutes', now() - interval '10 minutes' FROM generate_series(1, 2)";
    database.client().await.batch_execute(rows).await.unwrap();
    database
}

pub(super) async fn monitor(
    database: &TestDatabase,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dataporter"));
    command
        .arg("telemetry:monitor-backlog")
        .args(arguments)
        .env_clear()
        .env("DATABASE_URL", database.url.expose_secret())
        .env("APP_KEY", APP_KEY)
        .envs(variables.iter().copied())
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// The output of a check, which must have succeeded.
pub(super) fn stdout(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[tokio::test]
async fn the_command_prints_its_findings_and_actions() {
    let database = backlog().await;
    let idle = stdout(&monitor(&database, &[], &[]).await);
    assert!(idle.starts_with("Pending events: 2, the oldest from 20"), "{idle}");
    assert!(idle.contains("(10 min ago).\nNo driver is enabled (GA4_ENABLED, MIXPANEL_ENABLED): "), "{idle}");
    assert!(idle.ends_with(
        "\nNo mail server is configured (SMTP_URL). Notifications are stored in the database only.\n"
    ));

    assert!(stdout(&monitor(&database, &[], &[GA4]).await).contains("\nNo cause for alarm.\n"));
    let raised = stdout(&monitor(&database, &[], &[GA4, LOW]).await);
    let alarm = "\nALARM: TELEMETRY_ALERT_THRESHOLD reached.\n1 person was notified.\n";
    assert!(raised.contains(alarm), "{raised}");
    let again = stdout(&monitor(&database, &[], &[GA4, LOW]).await);
    assert!(again.contains(" reached.\nAlready notified: the next notification is sent at 20"), "{again}");
    let recovered = stdout(&monitor(&database, &[], &[GA4]).await);
    assert!(recovered.contains("\nThe alarm is resolved.\n1 person was notified.\n"), "{recovered}");
}

#[tokio::test]
async fn json_output_is_a_single_object() {
    let database = backlog().await;
    let mut report: Value =
        serde_json::from_str(&stdout(&monitor(&database, &["--json"], &[GA4, LOW]).await)).unwrap();
    assert!(report["oldest"].take().is_string());
    assert!((600..660).contains(&report["oldestAgeSeconds"].take().as_i64().unwrap()));
    let expected = json!({
        "eventsPending": 2, "oldest": null, "oldestAgeSeconds": null, "threshold": 2, "ageMinutes": 180,
        "driverEnabled": true, "alarmed": true, "limitsReached": ["TELEMETRY_ALERT_THRESHOLD"], "recovered": false,
        "refusing": [], "notifiedOfRefusing": 0, "notified": 1, "nextNotificationAt": null, "mail": null,
    });
    assert_eq!(report, expected);
    let again: Value =
        serde_json::from_str(&stdout(&monitor(&database, &["--json"], &[GA4, LOW]).await)).unwrap();
    assert!(
        again["alarmed"] == true && again["notified"] == 0 && again["nextNotificationAt"].is_string(),
        "{again}"
    );
}

#[tokio::test]
async fn the_command_sends_mail_before_it_exits() {
    let database = backlog().await;
    let mut smtp = SmtpServer::start().await;
    let url = smtp.url();
    let mail = [GA4, LOW, ("SMTP_URL", url.as_str()), ("MAIL_FROM", "hub@example.org")];
    assert!(
        stdout(&monitor(&database, &[], &mail).await)
            .ends_with("\nMail: 1 sent, 0 to be retried, 0 failed.\n")
    );
    assert_eq!(smtp.next().await.to, ["ana@example.org"]);
}

#[tokio::test]
async fn mail_errors_do_not_fail_the_check_or_log_the_password() {
    let database = backlog().await;
    let mut smtp = SmtpServer::start().await;
    let url = smtp.url_for("hub", "hunter2");
    let mail =
        [GA4, LOW, ("SMTP_URL", url.as_str()), ("MAIL_FROM", "hub@example.org"), ("RUST_LOG", "trace")];
    smtp.set_reply("AUTH", "535 5.7.8 not hunter2");
    let refused = monitor(&database, &["--json"], &mail).await;
    let report: Value = serde_json::from_str(&stdout(&refused)).unwrap();
    assert_eq!(report["mail"], json!({"sent": 0, "postponed": 1, "failed": 0}));
    smtp.close().await;
    database.client().await.batch_execute("UPDATE mail_outbox SET next_attempt_at = now()").await.unwrap();
    let down = monitor(&database, &["--json"], &mail).await;
    let report: Value = serde_json::from_str(&stdout(&down)).unwrap();
    assert_eq!(report["mail"], json!({"sent": 0, "postponed": 1, "failed": 0}));
    for output in [refused, down] {
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(log.contains("retrying later"), "{log}");
        assert!(!log.contains("hunter2") && !log.contains("AGh1YgBodW50ZXIy"), "{log}");
    }
}

#[tokio::test]
async fn failed_checks_exit_with_1_and_invalid_settings_with_2() {
    let database = TestDatabase::empty().await;
    let unmigrated = monitor(&database, &[], &[]).await;
    assert_eq!(unmigrated.status.code(), Some(1));
    for invalid in [
        ("TELEMETRY_ALERT_THRESHOLD", "0"),
        ("SMTP_URL", "smtp://127.0.0.1"),
        ("SMTP_URL", "smtp://127.0.0.1?tls=perhaps"),
        ("MAIL_FROM", "hub"),
    ] {
        let refused = monitor(&database, &[], &[invalid]).await;
        assert_eq!(refused.status.code(), Some(2), "{invalid:?}");
    }
}
