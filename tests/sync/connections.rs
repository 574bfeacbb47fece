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

use super::actions::driver_stats;
use super::configs::{both, ga4, ga4_in_order, mixpanel, response_timeout};
use super::delivery_record::DeliveryRecord;
use super::fixture::SyncFixture;

#[tokio::test]
async fn refused_connections_do_not_count_as_attempts() {
    for (service, driver, settings) in [
        (Service::Ga4, "ga4", ga4_in_order as fn(&mut _, &_)),
        (Service::Mixpanel, "mixpanel", mixpanel as fn(&mut _, &_)),
    ] {
        let fixture = SyncFixture::without_waits(settings).await;
        fixture.insert_events(3).await;
        fixture.services.refuse_connections(service).await;
        for _ in 0..3 {
            let run = fixture.run().await;
            assert_eq!(run["state"], "FAILED", "{driver}: {run}");
            let unreachable = DeliveryRecord::new("retry", 0).error_class("unreachable");
            assert_eq!(fixture.records(driver).await, vec![unreachable; 3]);
            fixture.advance(TimeDelta::seconds(8));
        }
        let attempt_times = fixture
            .hub
            .rows("SELECT DISTINCT first_attempt_at, last_attempt_at FROM telemetry_deliveries")
            .await;
        assert_eq!(attempt_times, json!([{"first_attempt_at": null, "last_attempt_at": null}]), "{driver}");
        fixture.services.accept_connections(service).await;
        assert_eq!(fixture.run().await["state"], "SUCCESS", "{driver}");
        assert_eq!(fixture.records(driver).await, vec![DeliveryRecord::delivered(); 3]);
    }
}

/// An address with a full accept queue, so that further connections get no response.
async fn full_listener() -> (String, TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(waiting) = timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
        queue.push(waiting.unwrap());
        assert!(queue.len() < 16, "the accept queue does not fill up");
    }
    (format!("http://{address}"), listener, queue)
}

/// An address that accepts connections but never responds, so that the TLS handshake does not complete.
async fn silent_listener() -> (String, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    (format!("https://{}", listener.local_addr().unwrap()), listener)
}

#[tokio::test]
async fn connections_that_time_out_do_not_count_as_attempts() {
    let ((full, _full, _queue), (silent, _silent)) = tokio::join!(full_listener(), silent_listener());
    // Names below `invalid` never resolve (RFC 6761).
    let unresolvable = "https://nowhere.invalid".to_owned();
    // Each address takes up the whole connect timeout, so they are tried concurrently.
    join_all([unresolvable, full, silent].map(async |address: String| {
        let fixture = SyncFixture::without_waits(|config, services| {
            both(config, services);
            config.telemetry.ga4.base_url = address.parse().unwrap();
            config.telemetry.mixpanel.base_url = address.parse().unwrap();
        })
        .await;
        fixture.insert_events(1).await;
        let run = fixture.run().await;
        assert_eq!(run["state"], "FAILED", "{address}: {run}");
        for driver in ["ga4", "mixpanel"] {
            let unreachable = DeliveryRecord::new("retry", 0).error_class("unreachable");
            assert_eq!(fixture.record(driver).await, unreachable, "{address}: {driver}");
        }
        let attempt_times = "SELECT DISTINCT first_attempt_at, last_attempt_at FROM telemetry_deliveries";
        let never = json!([{"first_attempt_at": null, "last_attempt_at": null}]);
        assert_eq!(fixture.hub.rows(attempt_times).await, never, "{address}");
    }))
    .await;
}

#[tokio::test]
async fn failed_tls_handshakes_do_not_count_as_attempts() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // Closes every connection that it accepts.
    let closing = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(stream);
        }
    });
    let fixture = SyncFixture::without_waits(|config, services| {
        ga4_in_order(config, services);
        config.telemetry.ga4.base_url = format!("https://{address}").parse().unwrap();
    })
    .await;
    fixture.insert_events(1).await;
    fixture.run().await;
    assert_eq!(fixture.record("ga4").await, DeliveryRecord::new("retry", 0).error_class("unreachable"));
    closing.abort();
}

#[tokio::test]
async fn connections_closed_between_requests_lose_no_events() {
    let fixture = SyncFixture::without_waits(both).await;
    fixture.insert_events(60).await;
    fixture
        .faults([Service::Ga4, Service::Mixpanel].map(|service| Rule::new(service, Fault::CloseAfterAnswer)));
    for _ in 0..3 {
        fixture.run().await;
        fixture.advance(TimeDelta::seconds(8));
    }
    let records = fixture.records("ga4").await;
    assert!(records.iter().all(|record| record.state == "delivered"), "{records:?}");
    assert!(fixture.services.ga4_copies_by_event_uid().values().all(|copies| *copies == 1));
    assert_eq!((fixture.services.ga4_copies_by_event_uid().len(), fixture.unsynced().await), (60, 0));
}

#[tokio::test]
async fn connections_closed_while_idle_are_not_reused() {
    let fixture = SyncFixture::without_waits(both).await;
    for _ in 0..3 {
        fixture.insert_events(20).await;
        assert_eq!(fixture.run().await["state"], "SUCCESS");
        fixture.services.close_idle_connections(Service::Ga4);
        fixture.services.close_idle_connections(Service::Mixpanel);
    }
    assert_eq!(fixture.records("ga4").await, vec![DeliveryRecord::delivered(); 60]);
    assert_eq!(fixture.records("mixpanel").await, vec![DeliveryRecord::delivered(); 60]);
    assert_eq!((fixture.services.stored_ga4().len(), fixture.services.mixpanel_raw().len()), (60, 60));
}

#[tokio::test]
async fn a_connection_reset_on_reuse_makes_one_event_a_possible_duplicate() {
    let fixture = SyncFixture::without_waits(ga4_in_order).await;
    fixture.insert_events(4).await;
    fixture.faults([Rule::new(Service::Ga4, Fault::ResetOnReuse).times(1)]);
    let run = fixture.run().await;
    assert_eq!(
        (&driver_stats(&run, "GA4")["delivered"], &driver_stats(&run, "GA4")["retrying"]),
        (&json!(3), &json!(1))
    );
    let maybe_delivered =
        DeliveryRecord::new("retry", 1).error_class("ambiguous").unanswered(1).maybe_duplicate();
    let mut records = vec![DeliveryRecord::delivered(); 4];
    records[1] = maybe_delivered;
    assert_eq!(fixture.records("ga4").await, records);
    fixture.advance(TimeDelta::seconds(8));
    fixture.run().await;
    assert_eq!(fixture.services.stored_ga4().len(), 4);
    assert_eq!(fixture.unsynced().await, 0);
}

#[tokio::test]
async fn a_slow_response_is_accepted_within_the_timeout() {
    for (every_millis, is_in_time) in [(1, true), (100, false)] {
        let fixture = SyncFixture::without_waits(|config, services| {
            both(config, services);
            response_timeout(config, Duration::from_millis(1500));
        })
        .await;
        fixture.insert_events(1).await;
        fixture.faults(
            [Service::Ga4, Service::Mixpanel].map(|service| Rule::new(service, Fault::Drip { every_millis })),
        );
        fixture.run().await;
        let records = [fixture.record("ga4").await, fixture.record("mixpanel").await];
        if is_in_time {
            assert_eq!(records, [DeliveryRecord::delivered(), DeliveryRecord::delivered()]);
        } else {
            let unanswered = DeliveryRecord::new("retry", 1).error_class("ambiguous").unanswered(1);
            assert_eq!(records, [unanswered.clone().maybe_duplicate(), unanswered]);
        }
        assert_eq!((fixture.services.stored_ga4().len(), fixture.services.mixpanel_raw().len()), (1, 1));
    }
}

#[tokio::test]
async fn a_slow_service_gets_at_most_eight_concurrent_requests() {
    let fixture = SyncFixture::without_waits(ga4).await;
    fixture.insert_events(40).await;
    fixture.faults([Rule::new(Service::Ga4, Fault::Slow).delay_millis(20)]);
    assert_eq!(fixture.run().await["state"], "SUCCESS");
    assert_eq!(fixture.services.counts().ga4.most_in_flight, 8);
    assert_eq!(fixture.services.stored_ga4().len(), 40);
}
