//! `dataporter telemetry:monitor-backlog`

use std::process::{Command, Output, Stdio};

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::harness::database::TestDatabase;
use crate::harness::hub::APP_KEY;
use stand_ins::smtp::SmtpServer;

pub(super) const GA4: (&str, &str) = ("GA4_ENABLED", "true");
pub(super) const LOW: (&str, &str) = ("TELEMETRY_ALERT_THRESHOLD", "2");

/// A database with two events of this morning that wait, and an admin.
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

/// What a check said, which must have been done.
pub(super) fn said(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[tokio::test]
async fn the_command_says_what_it_found_and_did() {
    let database = backlog().await;
    let idle = said(&monitor(&database, &[], &[]).await);
    assert!(idle.starts_with("Events waiting for the sync: 2, the oldest of 20"), "{idle}");
    assert!(idle.contains("(10 min ago).\nNo driver is enabled (GA4_ENABLED, MIXPANEL_ENABLED): "), "{idle}");
    assert!(idle.ends_with(
        "\nNo mail server is configured (SMTP_URL): notifications are kept in the database only.\n"
    ));

    assert!(said(&monitor(&database, &[], &[GA4]).await).contains("\nNo cause for alarm.\n"));
    let raised = said(&monitor(&database, &[], &[GA4, LOW]).await);
    let alarm = "\nALARM: the limit of TELEMETRY_ALERT_THRESHOLD is reached.\nOne person is notified.\n";
    assert!(raised.contains(alarm), "{raised}");
    let again = said(&monitor(&database, &[], &[GA4, LOW]).await);
    assert!(again.contains("is reached.\nNotified already: nobody is notified again before 20"), "{again}");
    let gone = said(&monitor(&database, &[], &[GA4]).await);
    assert!(gone.contains("\nThe cause for alarm is gone.\nOne person is notified.\n"), "{gone}");
}

#[tokio::test]
async fn a_script_gets_one_json_object() {
    let database = backlog().await;
    let mut found: Value =
        serde_json::from_str(&said(&monitor(&database, &["--json"], &[GA4, LOW]).await)).unwrap();
    assert!(found["oldest"].take().is_string());
    assert!((600..660).contains(&found["oldestAgeSeconds"].take().as_i64().unwrap()));
    let expected = json!({
        "eventsPending": 2, "oldest": null, "oldestAgeSeconds": null, "threshold": 2, "ageMinutes": 180,
        "driverEnabled": true, "alarmed": true, "limitsReached": ["TELEMETRY_ALERT_THRESHOLD"], "recovered": false,
        "refusing": [], "notifiedOfRefusing": 0, "notified": 1, "toldAgainFrom": null, "mail": null,
    });
    assert_eq!(found, expected);
    let again: Value =
        serde_json::from_str(&said(&monitor(&database, &["--json"], &[GA4, LOW]).await)).unwrap();
    assert!(
        again["alarmed"] == true && again["notified"] == 0 && again["toldAgainFrom"].is_string(),
        "{again}"
    );
}

#[tokio::test]
async fn mail_is_sent_before_the_command_ends() {
    let database = backlog().await;
    let mut smtp = SmtpServer::start().await;
    let url = smtp.url();
    let mail = [GA4, LOW, ("SMTP_URL", url.as_str()), ("MAIL_FROM", "hub@example.org")];
    assert!(
        said(&monitor(&database, &[], &mail).await)
            .ends_with("\nMail: 1 sent, 0 to be tried again, 0 given up.\n")
    );
    assert_eq!(smtp.next().await.to, ["ana@example.org"]);
}

#[tokio::test]
async fn a_mail_server_that_is_down_fails_no_check_and_its_password_is_in_no_log() {
    let database = backlog().await;
    let mut smtp = SmtpServer::start().await;
    let url = smtp.url_for("hub", "hunter2");
    let mail =
        [GA4, LOW, ("SMTP_URL", url.as_str()), ("MAIL_FROM", "hub@example.org"), ("RUST_LOG", "trace")];
    smtp.answer("AUTH", "535 5.7.8 not hunter2");
    let refused = monitor(&database, &["--json"], &mail).await;
    let found: Value = serde_json::from_str(&said(&refused)).unwrap();
    assert_eq!(found["mail"], json!({"sent": 0, "postponed": 1, "givenUp": 0}));
    smtp.close().await;
    database.client().await.batch_execute("UPDATE mail_outbox SET next_attempt_at = now()").await.unwrap();
    let down = monitor(&database, &["--json"], &mail).await;
    let found: Value = serde_json::from_str(&said(&down)).unwrap();
    assert_eq!(found["mail"], json!({"sent": 0, "postponed": 1, "givenUp": 0}));
    for output in [refused, down] {
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(log.contains("is tried again later"), "{log}");
        assert!(!log.contains("hunter2") && !log.contains("AGh1YgBodW50ZXIy"), "{log}");
    }
}

#[tokio::test]
async fn what_cannot_be_checked_ends_with_1_and_wrong_settings_with_2() {
    let database = TestDatabase::empty().await;
    let unmigrated = monitor(&database, &[], &[]).await;
    assert_eq!(unmigrated.status.code(), Some(1));
    for wrong in [
        ("TELEMETRY_ALERT_THRESHOLD", "0"),
        ("SMTP_URL", "smtp://127.0.0.1"),
        ("SMTP_URL", "smtp://127.0.0.1?tls=perhaps"),
        ("MAIL_FROM", "hub"),
    ] {
        let refused = monitor(&database, &[], &[wrong]).await;
        assert_eq!(refused.status.code(), Some(2), "{wrong:?}");
    }
}
