//! Connections that are refused, broken, stale or slow.

use std::net::Ipv4Addr;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::json;
use stand_ins::Service;
use stand_ins::fault::{Fault, Rule};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

use super::ground::Ground;
use super::record::Record;
use super::settings::{answers_within, both, ga4, ga4_in_order, mixpanel};
use super::steps::share;

#[tokio::test]
async fn where_nobody_listens_nothing_was_sent_and_no_try_is_spent() {
    for (service, driver, settings) in [
        (Service::Ga4, "ga4", ga4_in_order as fn(&mut _, &_)),
        (Service::Mixpanel, "mixpanel", mixpanel as fn(&mut _, &_)),
    ] {
        let ground = Ground::impatient(settings).await;
        ground.events(3).await;
        ground.services.refuse_connections(service).await;
        for _ in 0..3 {
            let run = ground.run().await;
            assert_eq!(run["state"], "FAILED", "{driver}: {run}");
            let unreachable = Record::of("retry", 0).because("unreachable");
            assert_eq!(ground.records(driver).await, vec![unreachable; 3]);
            ground.advance(TimeDelta::seconds(8));
        }
        let tried = ground
            .hub
            .rows("SELECT DISTINCT first_attempt_at, last_attempt_at FROM telemetry_deliveries")
            .await;
        assert_eq!(tried, json!([{"first_attempt_at": null, "last_attempt_at": null}]), "{driver}");
        ground.services.accept_connections(service).await;
        assert_eq!(ground.run().await["state"], "SUCCESS", "{driver}");
        assert_eq!(ground.records(driver).await, vec![Record::delivered(); 3]);
    }
}

/// An address where nobody is let in: the queue at the door is full, so that whoever knocks gets no answer.
async fn crowded() -> (String, TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(waiting) = timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
        queue.push(waiting.unwrap());
        assert!(queue.len() < 16, "the queue never fills up");
    }
    (format!("http://{address}"), listener, queue)
}

/// An address where the door opens and nobody says a word, so that no encryption is agreed on.
async fn mute() -> (String, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    (format!("https://{}", listener.local_addr().unwrap()), listener)
}

#[tokio::test]
async fn where_no_connection_comes_about_nothing_was_sent_and_no_try_is_spent() {
    let ((crowded, _listener, _queue), (mute, _mute)) = tokio::join!(crowded(), mute());
    // Nothing is ever found under that name (RFC 6761).
    let nowhere = "https://nowhere.invalid".to_owned();
    // Each of them takes as long as connecting may take.
    join_all([nowhere, crowded, mute].map(async |address: String| {
        let ground = Ground::impatient(|config, services| {
            both(config, services);
            config.telemetry.ga4.base_url = address.parse().unwrap();
            config.telemetry.mixpanel.base_url = address.parse().unwrap();
        })
        .await;
        ground.events(1).await;
        let run = ground.run().await;
        assert_eq!(run["state"], "FAILED", "{address}: {run}");
        for driver in ["ga4", "mixpanel"] {
            let unreachable = Record::of("retry", 0).because("unreachable");
            assert_eq!(ground.record(driver).await, unreachable, "{address}: {driver}");
        }
        let tried = "SELECT DISTINCT first_attempt_at, last_attempt_at FROM telemetry_deliveries";
        let never = json!([{"first_attempt_at": null, "last_attempt_at": null}]);
        assert_eq!(ground.hub.rows(tried).await, never, "{address}");
    }))
    .await;
}

#[tokio::test]
async fn where_encryption_cannot_be_agreed_on_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // It hangs up on whoever comes.
    let hangs_up = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(stream);
        }
    });
    let ground = Ground::impatient(|config, services| {
        ga4_in_order(config, services);
        config.telemetry.ga4.base_url = format!("https://{address}").parse().unwrap();
    })
    .await;
    ground.events(1).await;
    ground.run().await;
    assert_eq!(ground.record("ga4").await, Record::of("retry", 0).because("unreachable"));
    hangs_up.abort();
}

#[tokio::test]
async fn a_connection_that_is_closed_between_requests_costs_no_event() {
    let ground = Ground::impatient(both).await;
    ground.events(60).await;
    ground
        .faults([Service::Ga4, Service::Mixpanel].map(|service| Rule::new(service, Fault::CloseAfterAnswer)));
    for _ in 0..3 {
        ground.run().await;
        ground.advance(TimeDelta::seconds(8));
    }
    let records = ground.records("ga4").await;
    assert!(records.iter().all(|record| record.state == "delivered"), "{records:?}");
    assert!(ground.services.ga4_copies_by_event_uid().values().all(|copies| *copies == 1));
    assert_eq!((ground.services.ga4_copies_by_event_uid().len(), ground.unsynced().await), (60, 0));
}

#[tokio::test]
async fn connections_that_are_closed_while_they_idle_are_not_used_again() {
    let ground = Ground::impatient(both).await;
    for _ in 0..3 {
        ground.events(20).await;
        assert_eq!(ground.run().await["state"], "SUCCESS");
        ground.services.close_idle_connections(Service::Ga4);
        ground.services.close_idle_connections(Service::Mixpanel);
    }
    assert_eq!(ground.records("ga4").await, vec![Record::delivered(); 60]);
    assert_eq!(ground.records("mixpanel").await, vec![Record::delivered(); 60]);
    assert_eq!((ground.services.stored_ga4().len(), ground.services.mixpanel_raw().len()), (60, 60));
}

#[tokio::test]
async fn a_connection_that_is_reset_when_it_is_used_again_leaves_one_event_in_doubt() {
    let ground = Ground::impatient(ga4_in_order).await;
    ground.events(4).await;
    ground.faults([Rule::new(Service::Ga4, Fault::ResetOnReuse).times(1)]);
    let run = ground.run().await;
    assert_eq!((&share(&run, "GA4")["delivered"], &share(&run, "GA4")["retrying"]), (&json!(3), &json!(1)));
    let doubtful = Record::of("retry", 1).because("ambiguous").unanswered(1).doubtful();
    let mut records = vec![Record::delivered(); 4];
    records[1] = doubtful;
    assert_eq!(ground.records("ga4").await, records);
    ground.advance(TimeDelta::seconds(8));
    ground.run().await;
    assert_eq!(ground.services.stored_ga4().len(), 4);
    assert_eq!(ground.unsynced().await, 0);
}

#[tokio::test]
async fn an_answer_that_drips_is_waited_for_within_the_limit() {
    for (every_millis, is_in_time) in [(1, true), (100, false)] {
        let ground = Ground::impatient(|config, services| {
            both(config, services);
            answers_within(config, Duration::from_millis(1500));
        })
        .await;
        ground.events(1).await;
        ground.faults(
            [Service::Ga4, Service::Mixpanel].map(|service| Rule::new(service, Fault::Drip { every_millis })),
        );
        ground.run().await;
        let records = [ground.record("ga4").await, ground.record("mixpanel").await];
        if is_in_time {
            assert_eq!(records, [Record::delivered(), Record::delivered()]);
        } else {
            let unanswered = Record::of("retry", 1).because("ambiguous").unanswered(1);
            assert_eq!(records, [unanswered.clone().doubtful(), unanswered]);
        }
        assert_eq!((ground.services.stored_ga4().len(), ground.services.mixpanel_raw().len()), (1, 1));
    }
}

#[tokio::test]
async fn a_slow_service_gets_no_more_requests_at_once_than_it_may() {
    let ground = Ground::impatient(ga4).await;
    ground.events(40).await;
    ground.faults([Rule::new(Service::Ga4, Fault::Slow).delay_millis(20)]);
    assert_eq!(ground.run().await["state"], "SUCCESS");
    assert_eq!(ground.services.counts().ga4.most_in_flight, 8);
    assert_eq!(ground.services.stored_ga4().len(), 40);
}
