//! Mail gets through, once, whatever the mail server does meanwhile, and holds nothing else up.

use std::time::Duration;

use backend::mail;
use backend::models::outbox_mail::OutboxMail;
use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{Watch, another, deliver, delivered, send_mail};

#[tokio::test]
async fn while_the_mail_server_is_down_people_are_told_in_the_hub_and_mail_waits_until_it_is_up() {
    let mut watch = Watch::start().await;
    watch.person("ana", "admin").await;
    watch.smtp.close().await;
    watch.alarm().await;
    assert_eq!(watch.told().await.as_array().unwrap().len(), 1);
    assert_eq!(watch.deliver().await, delivered(0, 1, 0));
    let refused = watch.outbox().await[0]["last_error"].as_str().unwrap().to_owned();
    assert!(refused.starts_with("The mail server cannot be talked to"), "{refused}");

    watch.smtp.open().await;
    assert_eq!(watch.deliver().await, delivered(0, 0, 0), "it is not due again yet");
    watch.pass(1);
    assert_eq!(watch.deliver().await, delivered(1, 0, 0));
    watch.pass(60);
    assert_eq!(watch.deliver().await, delivered(0, 0, 0));
    assert_eq!(watch.smtp.so_far().len(), 1);
}

#[tokio::test]
async fn of_many_mails_one_tries_a_server_that_is_down_and_all_go_out_when_it_is_up() {
    let mut watch = Watch::start().await;
    for name in ["ana", "bea", "cai"] {
        watch.person(name, "admin").await;
    }
    watch.smtp.close().await;
    watch.alarm().await;
    assert_eq!(watch.deliver().await, delivered(0, 1, 0));
    watch.smtp.open().await;
    assert_eq!(watch.deliver().await, delivered(2, 0, 0));
    watch.pass(1);
    assert_eq!(watch.deliver().await, delivered(1, 0, 0));
}

#[tokio::test]
async fn a_recipient_that_the_server_refuses_is_given_up_and_the_others_get_theirs() {
    let mut watch = Watch::start().await;
    for name in ["ana", "poison", "zoe"] {
        watch.person(name, "admin").await;
    }
    watch.smtp.answer("RCPT TO:<poison@", "550 5.1.1 no such user");
    watch.alarm().await;
    assert_eq!(watch.deliver().await, delivered(2, 0, 1));
    watch.pass(120);
    assert_eq!(watch.deliver().await, delivered(0, 0, 0));
    let mut to: Vec<String> = watch.smtp.so_far().into_iter().flat_map(|mail| mail.to).collect();
    to.sort();
    assert_eq!(to, ["ana@example.org", "zoe@example.org"]);
    let poison = json!({"name": "poison", "attempts": 1, "sent": false, "given_up": true,
        "last_error": "The mail server answered 550 5.1.1"});
    assert_eq!(watch.outbox().await[1], poison);
}

#[tokio::test]
async fn a_recipient_that_is_told_to_wait_waits_alone_and_longer_each_time() {
    let mut watch = Watch::start().await;
    watch.person("full", "admin").await;
    watch.person("zoe", "admin").await;
    watch.smtp.answer("RCPT TO:<full@", "452 4.2.2 mailbox full");
    watch.alarm().await;
    assert_eq!(watch.deliver().await, delivered(1, 1, 0));
    for minutes in [1, 5, 15, 60, 60] {
        watch.hub.clock.advance(TimeDelta::minutes(minutes) - TimeDelta::seconds(1));
        assert_eq!(watch.deliver().await, delivered(0, 0, 0), "not before {minutes} minutes");
        watch.hub.clock.advance(TimeDelta::seconds(1));
        assert_eq!(watch.deliver().await, delivered(0, 1, 0), "after {minutes} minutes");
    }
    watch.smtp.behave();
    watch.pass(60);
    assert_eq!(watch.deliver().await, delivered(1, 0, 0));
    assert_eq!(watch.smtp.so_far().len(), 2);
}

#[tokio::test]
async fn a_server_that_says_nothing_is_left_in_time() {
    let mut watch = Watch::with(|config| config.mail.timeout = Duration::from_millis(100)).await;
    watch.person("ana", "admin").await;
    watch.smtp.say_nothing();
    watch.alarm().await;
    assert_eq!(watch.deliver().await, delivered(0, 1, 0));
    assert_eq!(watch.outbox().await[0]["last_error"], "The mail server did not answer within 0.1 s");
    watch.smtp.behave();
    watch.pass(1);
    // A patient process, so that a busy machine does not fail the test.
    let url = watch.smtp.url();
    let patient = another(&watch.hub, |config| send_mail(config, &url));
    assert_eq!(deliver(&patient).await, delivered(1, 0, 0));
    assert_eq!(watch.smtp.next().await.to, ["ana@example.org"]);
}

#[tokio::test]
async fn trouble_with_the_server_itself_is_no_recipients_fault() {
    let mut watch = Watch::start().await;
    watch.person("ana", "admin").await;
    watch.alarm().await;
    for (word, answer) in [
        ("CONNECT", "554 5.3.2 not now"),
        ("EHLO", "550 not you"),
        ("MAIL FROM", "553 5.7.1 who is that?"),
        ("RCPT TO", "421 4.3.2 closing"),
        ("CONTENT", "451 4.3.0 try again"),
    ] {
        watch.smtp.behave();
        watch.smtp.answer(word, answer);
        assert_eq!(watch.deliver().await, delivered(0, 1, 0), "{word}");
        watch.pass(60);
    }
    watch.smtp.behave();
    assert_eq!(watch.deliver().await, delivered(1, 0, 0));
    assert_eq!(watch.smtp.next().await.to, ["ana@example.org"]);
}

#[tokio::test]
async fn several_processes_send_each_mail_once() {
    let mut watch = Watch::start().await;
    for number in 10..40 {
        watch.person(&format!("admin-{number}"), "admin").await;
    }
    watch.alarm().await;
    let url = watch.smtp.url();
    let other = another(&watch.hub, |config| send_mail(config, &url));
    let rounds = join_all([&watch.hub.app, &other, &watch.hub.app, &other].map(deliver)).await;
    assert_eq!(rounds.iter().map(|round| round.sent).sum::<usize>(), 30);
    let mut to: Vec<String> = watch.smtp.so_far().into_iter().flat_map(|mail| mail.to).collect();
    to.sort();
    let expected: Vec<String> = (10..40).map(|number| format!("admin-{number}@example.org")).collect();
    assert_eq!(to, expected);
}

#[tokio::test]
async fn a_mail_whose_sender_died_is_sent_by_another() {
    let mut watch = Watch::start().await;
    watch.person("ana", "admin").await;
    watch.alarm().await;
    let mut conn = watch.hub.database.pool.get().await.unwrap();
    let lease = TimeDelta::minutes(2);
    assert!(OutboxMail::claim(&mut conn, watch.hub.clock.now(), lease).await.unwrap().is_some());
    assert_eq!(watch.deliver().await, delivered(0, 0, 0), "somebody else holds it");
    watch.pass(2);
    assert_eq!(watch.deliver().await, delivered(1, 0, 0));
    assert_eq!(watch.smtp.next().await.to, ["ana@example.org"]);
}

#[tokio::test]
async fn a_mail_is_given_up_after_a_day() {
    let mut watch = Watch::start().await;
    watch.person("ana", "admin").await;
    watch.smtp.close().await;
    watch.alarm().await;
    let (mut attempts, mut minutes) = (0, 0);
    while watch.deliver().await != delivered(0, 0, 1) {
        attempts += 1;
        minutes += 60;
        watch.pass(60);
        assert!(minutes <= 24 * 60, "{attempts} attempts");
    }
    assert_eq!(minutes, 23 * 60, "a next attempt would be too late");
    watch.smtp.open().await;
    watch.pass(60);
    assert_eq!(watch.deliver().await, delivered(0, 0, 0));
}

#[tokio::test]
async fn what_nobody_was_there_to_send_for_a_day_is_not_sent_any_more() {
    let watch = Watch::start().await;
    watch.person("ana", "admin").await;
    watch.alarm().await;
    watch.pass(24 * 60);
    assert_eq!(watch.deliver().await, delivered(0, 0, 1));
}

#[tokio::test]
async fn of_all_that_waited_only_the_newest_is_sent() {
    let mut watch = Watch::start().await;
    watch.person("ana", "admin").await;
    watch.smtp.close().await;
    watch.alarm().await;
    for _ in 0..3 {
        watch.deliver().await;
        watch.pass(60);
        watch.look().await;
    }
    watch.synced().await;
    watch.look().await;
    assert_eq!(watch.told().await.as_array().unwrap().len(), 5, "in the hub all can be read");
    watch.smtp.open().await;
    assert_eq!(watch.deliver().await, delivered(1, 0, 0));
    watch.pass(60);
    assert_eq!(watch.deliver().await, delivered(0, 0, 0));
    let mail = watch.smtp.next().await;
    assert!(String::from_utf8_lossy(&mail.content).contains("Subject: End of the alarm"));
}

#[tokio::test]
async fn whoever_may_no_longer_know_gets_no_mail() {
    let mut watch = Watch::start().await;
    let (out, demoted) = (watch.person("out", "admin").await, watch.person("demoted", "admin").await);
    watch.alarm().await;
    watch.hub.academy.execute("UPDATE users SET active = false WHERE id = $1", &[&out]).await;
    watch.hub.academy.execute("UPDATE users SET role = 'student' WHERE id = $1", &[&demoted]).await;
    assert_eq!(watch.deliver().await, delivered(0, 0, 2));
    assert_eq!(watch.smtp.so_far().len(), 0);
}

#[tokio::test]
async fn a_process_that_is_told_to_stop_begins_no_mail() {
    let watch = Watch::start().await;
    watch.person("ana", "admin").await;
    watch.alarm().await;
    let stop = CancellationToken::new();
    stop.cancel();
    assert_eq!(mail::deliver(&watch.hub.app, &stop).await.unwrap(), Some(delivered(0, 0, 0)));
    assert_eq!(watch.deliver().await, delivered(1, 0, 0));
}
