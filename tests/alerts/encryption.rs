//! Mail over TLS: it is only sent to a server with a trusted certificate.

use std::io::Write as _;

use serde_json::{Value, json};
use stand_ins::smtp::{Authority, Certificate, Encryption, SmtpServer};
use tempfile::NamedTempFile;

use super::command::{GA4, LOW, backlog, monitor, stdout};
use crate::harness::database::TestDatabase;

const BOTH: [fn(Certificate) -> Encryption; 2] = [Encryption::Implicit, Encryption::StartTls];

/// Raises the alarm in a process that only trusts this authority. Returns the report on mail.
async fn alarm(database: &TestDatabase, smtp: &SmtpServer, trusted: &Authority) -> Value {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(trusted.pem().as_bytes()).unwrap();
    let url = smtp.url_for("hub", "hunter2");
    let variables = [
        GA4,
        LOW,
        ("SMTP_URL", url.as_str()),
        ("MAIL_FROM", "hub@example.org"),
        ("SSL_CERT_FILE", file.path().to_str().unwrap()),
    ];
    let output = monitor(database, &["--json"], &variables).await;
    let mut report: Value = serde_json::from_str(&stdout(&output)).unwrap();
    report["mail"].take()
}

/// The state of the only mail in the outbox.
async fn outbox(database: &TestDatabase) -> (bool, bool, Option<String>) {
    let mails = "SELECT sent_at IS NOT NULL, failed_at IS NOT NULL, last_error FROM mail_outbox";
    let mail = database.client().await.query_one(mails, &[]).await.unwrap();
    (mail.get(0), mail.get(1), mail.get(2))
}

#[tokio::test]
async fn mail_is_sent_to_a_server_with_a_trusted_certificate() {
    for encryption in BOTH {
        let (database, authority) = (backlog().await, Authority::named("The academy"));
        let mut smtp = SmtpServer::start_encrypted(encryption(authority.issue("127.0.0.1"))).await;
        let mail = alarm(&database, &smtp, &authority).await;
        assert_eq!(mail, json!({"sent": 1, "postponed": 0, "failed": 0}));
        assert_eq!(outbox(&database).await, (true, false, None));
        let received = smtp.next().await;
        assert_eq!(
            (received.to, received.credentials.as_deref()),
            (vec!["ana@example.org".to_owned()], Some("AGh1YgBodW50ZXIy"))
        );
    }
}

#[tokio::test]
async fn without_a_trusted_certificate_nothing_is_sent_and_mail_is_retried() {
    for encryption in BOTH {
        for (name, other_authority, expected_error) in [
            ("127.0.0.1", Some("Somebody else"), "invalid peer certificate: UnknownIssuer"),
            ("127.0.0.1", Some("The academy"), "invalid peer certificate: BadSignature"),
            ("mail.example.org", None, "invalid peer certificate: certificate not valid for name"),
        ] {
            let (database, authority) = (backlog().await, Authority::named("The academy"));
            let mut smtp = SmtpServer::start_encrypted(encryption(authority.issue(name))).await;
            let trusted = other_authority.map_or(authority, Authority::named);
            let mail = alarm(&database, &smtp, &trusted).await;
            assert_eq!(mail, json!({"sent": 0, "postponed": 1, "failed": 0}), "{expected_error}");
            let (sent, failed, error) = outbox(&database).await;
            assert!(!sent && !failed, "{expected_error}");
            let error = error.unwrap();
            assert!(error.starts_with("The connection to the mail server failed: "), "{error}");
            assert!(error.contains(expected_error), "{error}");
            let heard = smtp.commands();
            // Before encryption, the client only sends EHLO and STARTTLS.
            let is_harmless = |line: &String| line.starts_with("EHLO ") || line == "STARTTLS";
            assert!(heard.iter().all(is_harmless), "{expected_error}: {heard:?}");
            assert_eq!(smtp.drain().len(), 0, "{expected_error}");
        }
    }
}
