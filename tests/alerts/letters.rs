//! What mails say, to whom, and what nobody can make them say.

use mail_parser::{Message, MessageParser};
use serde_json::json;

use super::{Watch, delivered, send_mail};
use stand_ins::smtp::Taken;

fn read(mail: &Taken) -> Message<'_> {
    MessageParser::default().parse(&mail.content).expect("it is a mail")
}

/// A mail as a person sees it.
fn shown(mail: &Taken) -> String {
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
async fn each_person_gets_a_mail_of_their_own_in_their_language_and_time_zone() {
    let mut watch = Watch::with(|config| config.hub.url = "https://hub.example.org/".parse().unwrap()).await;
    watch.person("ana", "admin").await;
    watch
        .hub
        .sql(
            "UPDATE users SET timezone = 'America/Bogota';
             INSERT INTO users (name, email, role) VALUES ('María Ñúñez', 'maria@example.org', 'teacher_admin')",
        )
        .await;
    watch.pending(1, 185).await;
    watch.look().await;
    assert_eq!(watch.deliver().await, delivered(2, 0, 0));
    watch.synced().await;
    watch.look().await;
    assert_eq!(watch.deliver().await, delivered(2, 0, 0));
    let mut shown_to_each: Vec<String> = Vec::new();
    for mail in watch.smtp.so_far() {
        assert_eq!((mail.from.as_str(), mail.to.len()), ("hub@example.org", 1));
        shown_to_each.push(shown(&mail));
    }
    insta::assert_snapshot!(shown_to_each.join("\n\n########\n\n"));
}

#[tokio::test]
async fn a_name_cannot_add_a_header_or_a_recipient() {
    let mut watch = Watch::start().await;
    let eve = watch.person("eve", "admin").await;
    let name = "Eve\r\nBcc: everybody@example.org\r\n\r\n<b>\"Hi\"</b>, <x@example.org>";
    watch.hub.academy.execute("UPDATE users SET name = $2 WHERE id = $1", &[&eve, &name]).await;
    watch.alarm().await;
    assert_eq!(watch.deliver().await, delivered(1, 0, 0));
    let mail = watch.smtp.next().await;
    assert_eq!(mail.to, ["eve@example.org"]);
    let message = read(&mail);
    assert!(message.bcc().is_none());
    let addressees: Vec<_> = message.to().unwrap().iter().map(|to| (to.name(), to.address())).collect();
    let name = "Eve  Bcc: everybody@example.org    <b>\"Hi\"</b>, <x@example.org>";
    assert_eq!(addressees, [(Some(name), Some("eve@example.org"))]);
}

#[tokio::test]
async fn an_address_that_is_none_gets_nothing_and_says_nothing_to_the_server() {
    let mut watch = Watch::start().await;
    let eve = watch.person("eve", "admin").await;
    watch.person("zoe", "admin").await;
    let address = "eve@example.org>\r\nRCPT TO:<everybody@example.org";
    watch.hub.academy.execute("UPDATE users SET email = $2 WHERE id = $1", &[&eve, &address]).await;
    watch.alarm().await;
    assert_eq!(watch.deliver().await, delivered(1, 0, 1));
    let taken = watch.smtp.so_far();
    assert_eq!(taken.iter().map(|mail| mail.to.clone()).collect::<Vec<_>>(), [["zoe@example.org"]]);
}

#[tokio::test]
async fn an_address_that_the_server_cannot_take_holds_nobody_up() {
    let watch = Watch::start().await;
    let eva = watch.person("eva", "admin").await;
    watch.person("zoe", "admin").await;
    watch.hub.academy.execute("UPDATE users SET email = 'évà@example.org' WHERE id = $1", &[&eva]).await;
    watch.alarm().await;
    assert_eq!(watch.deliver().await, delivered(1, 0, 1));
}

#[tokio::test]
async fn the_mail_servers_password_is_kept_nowhere() {
    let mut watch = Watch::start().await;
    watch.person("ana", "admin").await;
    let url = watch.smtp.url_for("hub", "hunter2");
    let sender = super::another(&watch.hub, |config| send_mail(config, &url));
    watch.alarm().await;
    // A server that repeats what it was told.
    watch.smtp.answer("AUTH PLAIN", "535 5.7.8 AGh1YgBodW50ZXIy is hub with hunter2, which is wrong");
    assert_eq!(super::deliver(&sender).await, delivered(0, 1, 0));
    let kept = watch.hub.rows("SELECT last_error FROM mail_outbox").await;
    assert_eq!(kept, json!([{"last_error": "The mail server answered 535 5.7.8"}]));
    for table in ["mail_outbox", "notifications", "alarms", "scheduled_jobs"] {
        let rows = watch.hub.rows(&format!("SELECT * FROM {table}")).await.to_string();
        assert!(!rows.contains("hunter2") && !rows.contains("AGh1YgBodW50ZXIy"), "{rows}");
    }
    watch.smtp.behave();
    watch.pass(1);
    assert_eq!(super::deliver(&sender).await, delivered(1, 0, 0));
    let mail = watch.smtp.next().await;
    assert_eq!(mail.login.as_deref(), Some("AGh1YgBodW50ZXIy"), "it was signed in");
    assert!(!String::from_utf8_lossy(&mail.content).contains("hunter2"));
}

#[tokio::test]
async fn a_server_that_must_encrypt_and_does_not_hears_no_password() {
    let mut watch = Watch::start().await;
    watch.person("ana", "admin").await;
    let url = format!("{}?tls=required", watch.smtp.url_for("hub", "hunter2"));
    let sender = super::another(&watch.hub, |config| send_mail(config, &url));
    watch.alarm().await;
    assert_eq!(super::deliver(&sender).await, delivered(0, 1, 0));
    let heard = watch.smtp.heard();
    assert!(heard[0].starts_with("EHLO "), "{heard:?}");
    assert!(!heard.iter().any(|line| line.starts_with("AUTH") || line.starts_with("MAIL")), "{heard:?}");
    assert_eq!(watch.smtp.so_far().len(), 0);
}
