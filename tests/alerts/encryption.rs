//! Mail by TLS: it goes to a server that proves who it is, and to no other.

use std::io::Write as _;

use serde_json::{Value, json};
use stand_ins::smtp::{Authority, Certificate, Encryption, SmtpServer};
use tempfile::NamedTempFile;

use super::command::{GA4, LOW, backlog, monitor, said};
use crate::harness::database::TestDatabase;

const BOTH: [fn(Certificate) -> Encryption; 2] = [Encryption::FromTheStart, Encryption::OnDemand];

/// Raises the alarm in a process that trusts this authority alone, and answers with what became of the mail.
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
    let mut found: Value = serde_json::from_str(&said(&output)).unwrap();
    found["mail"].take()
}

/// What is on record of the only mail.
async fn outbox(database: &TestDatabase) -> (bool, bool, Option<String>) {
    let mails = "SELECT sent_at IS NOT NULL, given_up_at IS NOT NULL, last_error FROM mail_outbox";
    let mail = database.client().await.query_one(mails, &[]).await.unwrap();
    (mail.get(0), mail.get(1), mail.get(2))
}

#[tokio::test]
async fn mail_reaches_a_server_whose_certificate_is_trusted() {
    for encryption in BOTH {
        let (database, authority) = (backlog().await, Authority::named("The academy"));
        let mut smtp = SmtpServer::start_encrypted(encryption(authority.issue("127.0.0.1"))).await;
        let mail = alarm(&database, &smtp, &authority).await;
        assert_eq!(mail, json!({"sent": 1, "postponed": 0, "givenUp": 0}));
        assert_eq!(outbox(&database).await, (true, false, None));
        let taken = smtp.next().await;
        assert_eq!(
            (taken.to, taken.login.as_deref()),
            (vec!["ana@example.org".to_owned()], Some("AGh1YgBodW50ZXIy"))
        );
    }
}

#[tokio::test]
async fn a_server_that_does_not_prove_who_it_is_hears_nothing_and_the_mail_waits() {
    for encryption in BOTH {
        for (name, instead, wrong) in [
            ("127.0.0.1", Some("Somebody else"), "invalid peer certificate: UnknownIssuer"),
            ("127.0.0.1", Some("The academy"), "invalid peer certificate: BadSignature"),
            ("mail.example.org", None, "invalid peer certificate: certificate not valid for name"),
        ] {
            let (database, authority) = (backlog().await, Authority::named("The academy"));
            let mut smtp = SmtpServer::start_encrypted(encryption(authority.issue(name))).await;
            let trusted = instead.map_or(authority, Authority::named);
            let mail = alarm(&database, &smtp, &trusted).await;
            assert_eq!(mail, json!({"sent": 0, "postponed": 1, "givenUp": 0}), "{wrong}");
            let (sent, given_up, error) = outbox(&database).await;
            assert!(!sent && !given_up, "{wrong}");
            let error = error.unwrap();
            assert!(error.starts_with("The mail server cannot be talked to: "), "{error}");
            assert!(error.contains(wrong), "{error}");
            let heard = smtp.heard();
            // In the clear, no more is said than that one wants to be private.
            let is_harmless = |line: &String| line.starts_with("EHLO ") || line == "STARTTLS";
            assert!(heard.iter().all(is_harmless), "{wrong}: {heard:?}");
            assert_eq!(smtp.so_far().len(), 0, "{wrong}");
        }
    }
}
