//! The mail outbox: each mail is sent once, despite failures of the mail server, and delays nothing else.

use std::time::Duration;

use backend::mail;
use backend::models::outbox_mail::OutboxMail;
use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{AlertFixture, another_app, deliver_mail, send_mail, summary};

#[tokio::test]
async fn while_the_mail_server_is_down_mail_waits_in_the_outbox() {
    let mut fixture = AlertFixture::start().await;
    fixture.insert_user("ana", "admin").await;
    fixture.smtp.close().await;
    fixture.raise_alarm().await;
    assert_eq!(fixture.notifications().await.as_array().unwrap().len(), 1);
    assert_eq!(fixture.deliver_mail().await, summary(0, 1, 0));
    let refused = fixture.outbox().await[0]["last_error"].as_str().unwrap().to_owned();
    assert!(refused.starts_with("The connection to the mail server failed"), "{refused}");

    fixture.smtp.open().await;
    assert_eq!(fixture.deliver_mail().await, summary(0, 0, 0), "the retry is not due yet");
    fixture.advance_minutes(1);
    assert_eq!(fixture.deliver_mail().await, summary(1, 0, 0));
    fixture.advance_minutes(60);
    assert_eq!(fixture.deliver_mail().await, summary(0, 0, 0));
    assert_eq!(fixture.smtp.drain().len(), 1);
}

#[tokio::test]
async fn only_one_mail_is_attempted_while_the_server_is_down() {
    let mut fixture = AlertFixture::start().await;
    for name in ["ana", "bea", "cai"] {
        fixture.insert_user(name, "admin").await;
    }
    fixture.smtp.close().await;
    fixture.raise_alarm().await;
    assert_eq!(fixture.deliver_mail().await, summary(0, 1, 0));
    fixture.smtp.open().await;
    assert_eq!(fixture.deliver_mail().await, summary(2, 0, 0));
    fixture.advance_minutes(1);
    assert_eq!(fixture.deliver_mail().await, summary(1, 0, 0));
}

#[tokio::test]
async fn a_refused_recipient_fails_and_the_others_get_their_mail() {
    let mut fixture = AlertFixture::start().await;
    for name in ["ana", "poison", "zoe"] {
        fixture.insert_user(name, "admin").await;
    }
    fixture.smtp.set_reply("RCPT TO:<poison@", "550 5.1.1 no such user");
    fixture.raise_alarm().await;
    assert_eq!(fixture.deliver_mail().await, summary(2, 0, 1));
    fixture.advance_minutes(120);
    assert_eq!(fixture.deliver_mail().await, summary(0, 0, 0));
    let mut to: Vec<String> = fixture.smtp.drain().into_iter().flat_map(|mail| mail.to).collect();
    to.sort();
    assert_eq!(to, ["ana@example.org", "zoe@example.org"]);
    let poison = json!({"name": "poison", "attempts": 1, "sent": false, "failed": true,
        "last_error": "The mail server replied with 550 5.1.1"});
    assert_eq!(fixture.outbox().await[1], poison);
}

#[tokio::test]
async fn a_temporarily_refused_recipient_is_retried_with_growing_delays() {
    let mut fixture = AlertFixture::start().await;
    fixture.insert_user("full", "admin").await;
    fixture.insert_user("zoe", "admin").await;
    fixture.smtp.set_reply("RCPT TO:<full@", "452 4.2.2 mailbox full");
    fixture.raise_alarm().await;
    assert_eq!(fixture.deliver_mail().await, summary(1, 1, 0));
    for minutes in [1, 5, 15, 60, 60] {
        fixture.hub.clock.advance(TimeDelta::minutes(minutes) - TimeDelta::seconds(1));
        assert_eq!(fixture.deliver_mail().await, summary(0, 0, 0), "before {minutes} minutes");
        fixture.hub.clock.advance(TimeDelta::seconds(1));
        assert_eq!(fixture.deliver_mail().await, summary(0, 1, 0), "after {minutes} minutes");
    }
    fixture.smtp.reset();
    fixture.advance_minutes(60);
    assert_eq!(fixture.deliver_mail().await, summary(1, 0, 0));
    assert_eq!(fixture.smtp.drain().len(), 2);
}

#[tokio::test]
async fn a_silent_server_times_out() {
    let mut fixture = AlertFixture::with(|config| config.mail.timeout = Duration::from_millis(100)).await;
    fixture.insert_user("ana", "admin").await;
    fixture.smtp.go_silent();
    fixture.raise_alarm().await;
    assert_eq!(fixture.deliver_mail().await, summary(0, 1, 0));
    assert_eq!(fixture.outbox().await[0]["last_error"], "The mail server did not reply within 0.1 s");
    fixture.smtp.reset();
    fixture.advance_minutes(1);
    // A process with the default timeout, so that the test does not fail on a busy machine.
    let url = fixture.smtp.url();
    let patient = another_app(&fixture.hub, |config| send_mail(config, &url));
    assert_eq!(deliver_mail(&patient).await, summary(1, 0, 0));
    assert_eq!(fixture.smtp.next().await.to, ["ana@example.org"]);
}

#[tokio::test]
async fn server_errors_do_not_fail_the_recipient() {
    let mut fixture = AlertFixture::start().await;
    fixture.insert_user("ana", "admin").await;
    fixture.raise_alarm().await;
    for (command, reply) in [
        ("CONNECT", "554 5.3.2 not now"),
        ("EHLO", "550 not you"),
        ("MAIL FROM", "553 5.7.1 who is that?"),
        ("RCPT TO", "421 4.3.2 closing"),
        ("CONTENT", "451 4.3.0 try again"),
    ] {
        fixture.smtp.reset();
        fixture.smtp.set_reply(command, reply);
        assert_eq!(fixture.deliver_mail().await, summary(0, 1, 0), "{command}");
        fixture.advance_minutes(60);
    }
    fixture.smtp.reset();
    assert_eq!(fixture.deliver_mail().await, summary(1, 0, 0));
    assert_eq!(fixture.smtp.next().await.to, ["ana@example.org"]);
}

#[tokio::test]
async fn several_processes_send_each_mail_once() {
    let mut fixture = AlertFixture::start().await;
    for number in 10..40 {
        fixture.insert_user(&format!("admin-{number}"), "admin").await;
    }
    fixture.raise_alarm().await;
    let url = fixture.smtp.url();
    let other = another_app(&fixture.hub, |config| send_mail(config, &url));
    let rounds = join_all([&fixture.hub.app, &other, &fixture.hub.app, &other].map(deliver_mail)).await;
    assert_eq!(rounds.iter().map(|round| round.sent).sum::<usize>(), 30);
    let mut to: Vec<String> = fixture.smtp.drain().into_iter().flat_map(|mail| mail.to).collect();
    to.sort();
    let expected: Vec<String> = (10..40).map(|number| format!("admin-{number}@example.org")).collect();
    assert_eq!(to, expected);
}

#[tokio::test]
async fn a_mail_is_resent_when_the_lease_of_its_sender_expires() {
    let mut fixture = AlertFixture::start().await;
    fixture.insert_user("ana", "admin").await;
    fixture.raise_alarm().await;
    let mut conn = fixture.hub.database.pool.get().await.unwrap();
    let lease = TimeDelta::minutes(2);
    assert!(OutboxMail::claim(&mut conn, fixture.hub.clock.now(), lease).await.unwrap().is_some());
    assert_eq!(fixture.deliver_mail().await, summary(0, 0, 0), "another process has leased the mail");
    fixture.advance_minutes(2);
    assert_eq!(fixture.deliver_mail().await, summary(1, 0, 0));
    assert_eq!(fixture.smtp.next().await.to, ["ana@example.org"]);
}

#[tokio::test]
async fn a_mail_fails_after_a_day_of_retries() {
    let mut fixture = AlertFixture::start().await;
    fixture.insert_user("ana", "admin").await;
    fixture.smtp.close().await;
    fixture.raise_alarm().await;
    let (mut attempts, mut minutes) = (0, 0);
    while fixture.deliver_mail().await != summary(0, 0, 1) {
        attempts += 1;
        minutes += 60;
        fixture.advance_minutes(60);
        assert!(minutes <= 24 * 60, "{attempts} attempts");
    }
    assert_eq!(minutes, 23 * 60, "the next attempt would be too late");
    fixture.smtp.open().await;
    fixture.advance_minutes(60);
    assert_eq!(fixture.deliver_mail().await, summary(0, 0, 0));
}

#[tokio::test]
async fn a_mail_older_than_a_day_is_not_sent() {
    let fixture = AlertFixture::start().await;
    fixture.insert_user("ana", "admin").await;
    fixture.raise_alarm().await;
    fixture.advance_minutes(24 * 60);
    assert_eq!(fixture.deliver_mail().await, summary(0, 0, 1));
}

#[tokio::test]
async fn only_the_newest_of_the_waiting_mails_is_sent() {
    let mut fixture = AlertFixture::start().await;
    fixture.insert_user("ana", "admin").await;
    fixture.smtp.close().await;
    fixture.raise_alarm().await;
    for _ in 0..3 {
        fixture.deliver_mail().await;
        fixture.advance_minutes(60);
        fixture.check().await;
    }
    fixture.mark_all_synced().await;
    fixture.check().await;
    assert_eq!(
        fixture.notifications().await.as_array().unwrap().len(),
        5,
        "the hub keeps every notification"
    );
    fixture.smtp.open().await;
    assert_eq!(fixture.deliver_mail().await, summary(1, 0, 0));
    fixture.advance_minutes(60);
    assert_eq!(fixture.deliver_mail().await, summary(0, 0, 0));
    let mail = fixture.smtp.next().await;
    assert!(String::from_utf8_lossy(&mail.content).contains("Subject: Alarm resolved"));
}

#[tokio::test]
async fn users_who_lost_access_get_no_mail() {
    let mut fixture = AlertFixture::start().await;
    let (deactivated, demoted) =
        (fixture.insert_user("out", "admin").await, fixture.insert_user("demoted", "admin").await);
    fixture.raise_alarm().await;
    fixture.hub.academy.execute("UPDATE users SET active = false WHERE id = $1", &[&deactivated]).await;
    fixture.hub.academy.execute("UPDATE users SET role = 'student' WHERE id = $1", &[&demoted]).await;
    assert_eq!(fixture.deliver_mail().await, summary(0, 0, 2));
    assert_eq!(fixture.smtp.drain().len(), 0);
}

#[tokio::test]
async fn a_process_that_shuts_down_starts_no_mail() {
    let fixture = AlertFixture::start().await;
    fixture.insert_user("ana", "admin").await;
    fixture.raise_alarm().await;
    let stop = CancellationToken::new();
    stop.cancel();
    assert_eq!(mail::deliver(&fixture.hub.app, &stop).await.unwrap(), Some(summary(0, 0, 0)));
    assert_eq!(fixture.deliver_mail().await, summary(1, 0, 0));
}
