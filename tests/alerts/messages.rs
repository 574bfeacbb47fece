//! The content and recipients of mails, and attempts to inject into them.

use mail_parser::{Message, MessageParser};
use serde_json::json;

use super::{AlertFixture, send_mail, summary};
use stand_ins::smtp::ReceivedMail;

fn read(mail: &ReceivedMail) -> Message<'_> {
    MessageParser::default().parse(&mail.content).expect("the content is a mail")
}

/// Renders a mail for the snapshot.
fn render(mail: &ReceivedMail) -> String {
    let message = read(mail);
    let header = |name: &str| message.header_raw(name).unwrap_or_default().trim().to_owned();
    format!(
        "To: {}\nAuto-Submitted: {}\nMessage-ID: {}\nSubject: {}\n\n{}\n=== HTML\n{}",
        header("To"),
        header("Auto-Submitted"),
        message.message_id().unwrap().split('.').next().unwrap(),
        message.subject().unwrap(),
        message.body_text(0).unwrap(),
        message.body_html(0).unwrap(),
    )
    .replace("\r\n", "\n")
}

#[tokio::test]
async fn each_person_gets_a_mail_in_their_language_and_time_zone() {
    let mut fixture =
        AlertFixture::with(|config| config.hub.url = "https://hub.example.org/".parse().unwrap()).await;
    fixture.insert_user("ana", "admin").await;
    fixture
        .hub
        .sql(
            "UPDATE users SET timezone = 'America/Bogota';
             INSERT INTO users (name, email, role) VALUES ('María Ñúñez', 'maria@example.org', 'teacher_admin')",
        )
        .await;
    fixture.insert_pending(1, 185).await;
    fixture.check().await;
    assert_eq!(fixture.deliver_mail().await, summary(2, 0, 0));
    fixture.mark_all_synced().await;
    fixture.check().await;
    assert_eq!(fixture.deliver_mail().await, summary(2, 0, 0));
    let mut rendered: Vec<String> = Vec::new();
    for mail in fixture.smtp.drain() {
        assert_eq!((mail.from.as_str(), mail.to.len()), ("hub@example.org", 1));
        rendered.push(render(&mail));
    }
    insta::assert_snapshot!(rendered.join("\n\n########\n\n"));
}

#[tokio::test]
async fn a_name_cannot_add_a_header_or_a_recipient() {
    let mut fixture = AlertFixture::start().await;
    let eve = fixture.insert_user("eve", "admin").await;
    let name = "Eve\r\nBcc: everybody@example.org\r\n\r\n<b>\"Hi\"</b>, <x@example.org>";
    fixture.hub.academy.execute("UPDATE users SET name = $2 WHERE id = $1", &[&eve, &name]).await;
    fixture.raise_alarm().await;
    assert_eq!(fixture.deliver_mail().await, summary(1, 0, 0));
    let mail = fixture.smtp.next().await;
    assert_eq!(mail.to, ["eve@example.org"]);
    let message = read(&mail);
    assert!(message.bcc().is_none());
    let recipients: Vec<_> = message.to().unwrap().iter().map(|to| (to.name(), to.address())).collect();
    let name = "Eve  Bcc: everybody@example.org    <b>\"Hi\"</b>, <x@example.org>";
    assert_eq!(recipients, [(Some(name), Some("eve@example.org"))]);
}

#[tokio::test]
async fn an_invalid_address_cannot_inject_smtp_commands() {
    let mut fixture = AlertFixture::start().await;
    let eve = fixture.insert_user("eve", "admin").await;
    fixture.insert_user("zoe", "admin").await;
    let address = "eve@example.org>\r\nRCPT TO:<everybody@example.org";
    fixture.hub.academy.execute("UPDATE users SET email = $2 WHERE id = $1", &[&eve, &address]).await;
    fixture.raise_alarm().await;
    assert_eq!(fixture.deliver_mail().await, summary(1, 0, 1));
    let taken = fixture.smtp.drain();
    assert_eq!(taken.iter().map(|mail| mail.to.clone()).collect::<Vec<_>>(), [["zoe@example.org"]]);
}

#[tokio::test]
async fn an_address_that_the_server_does_not_support_delays_no_other_mail() {
    let fixture = AlertFixture::start().await;
    let eva = fixture.insert_user("eva", "admin").await;
    fixture.insert_user("zoe", "admin").await;
    fixture.hub.academy.execute("UPDATE users SET email = 'évà@example.org' WHERE id = $1", &[&eva]).await;
    fixture.raise_alarm().await;
    assert_eq!(fixture.deliver_mail().await, summary(1, 0, 1));
}

#[tokio::test]
async fn the_mail_servers_password_is_not_stored() {
    let mut fixture = AlertFixture::start().await;
    fixture.insert_user("ana", "admin").await;
    let url = fixture.smtp.url_for("hub", "hunter2");
    let sender = super::another_app(&fixture.hub, |config| send_mail(config, &url));
    fixture.raise_alarm().await;
    // The server echoes the credentials.
    fixture.smtp.set_reply("AUTH PLAIN", "535 5.7.8 AGh1YgBodW50ZXIy is hub with hunter2, which is wrong");
    assert_eq!(super::deliver_mail(&sender).await, summary(0, 1, 0));
    let stored = fixture.hub.rows("SELECT last_error FROM mail_outbox").await;
    assert_eq!(stored, json!([{"last_error": "The mail server replied with 535 5.7.8"}]));
    for table in ["mail_outbox", "notifications", "alarms", "scheduled_jobs"] {
        let rows = fixture.hub.rows(&format!("SELECT * FROM {table}")).await.to_string();
        assert!(!rows.contains("hunter2") && !rows.contains("AGh1YgBodW50ZXIy"), "{rows}");
    }
    fixture.smtp.reset();
    fixture.advance_minutes(1);
    assert_eq!(super::deliver_mail(&sender).await, summary(1, 0, 0));
    let mail = fixture.smtp.next().await;
    assert_eq!(mail.credentials.as_deref(), Some("AGh1YgBodW50ZXIy"), "the client did not authenticate");
    assert!(!String::from_utf8_lossy(&mail.content).contains("hunter2"));
}

#[tokio::test]
async fn with_required_tls_no_password_is_sent_without_encryption() {
    let mut fixture = AlertFixture::start().await;
    fixture.insert_user("ana", "admin").await;
    let url = format!("{}?tls=required", fixture.smtp.url_for("hub", "hunter2"));
    let sender = super::another_app(&fixture.hub, |config| send_mail(config, &url));
    fixture.raise_alarm().await;
    assert_eq!(super::deliver_mail(&sender).await, summary(0, 1, 0));
    let heard = fixture.smtp.commands();
    assert!(heard[0].starts_with("EHLO "), "{heard:?}");
    assert!(!heard.iter().any(|line| line.starts_with("AUTH") || line.starts_with("MAIL")), "{heard:?}");
    assert_eq!(fixture.smtp.drain().len(), 0);
}
