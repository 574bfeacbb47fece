//! Each fault, as a client sees it.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use serde_json::json;
use stand_ins::fault::{Answer, BreakMode, Fault, ImportLie, Point, RetryAfter, Rule, When};
use stand_ins::{Outcome, Service, StandIns};

use crate::client::{Client, collect, event, import, request, send_request, stand_ins};

/// Sends a valid request to GA4 with this rule. Returns the received text, and the error with which the
/// connection ended.
async fn response_with_fault(stand_ins: &StandIns, rule: Rule) -> (String, Option<ErrorKind>) {
    stand_ins.set_faults([rule]).unwrap();
    let mut client = Client::connect(stand_ins.addresses().ga4).await.unwrap();
    client.send(&collect("vpe-1")).await.unwrap();
    let (text, end) = client.read_to_end().await;
    (text, end.err().map(|error| error.kind()))
}

fn break_rule(at: Point, how: BreakMode) -> Rule {
    Rule::new(Service::Ga4, Fault::Break { at, how })
}

#[tokio::test]
async fn a_connection_can_be_reset_or_closed_at_each_point() {
    let stand_ins = stand_ins().await;
    let reset = Some(ErrorKind::ConnectionReset);
    for (how, end) in [(BreakMode::Reset, reset), (BreakMode::Close, None)] {
        for at in [Point::BeforeReading, Point::HalfRead, Point::BeforeAnswer] {
            assert_eq!(
                response_with_fault(&stand_ins, break_rule(at, how)).await,
                (String::new(), end),
                "{at:?} {how:?}"
            );
        }
        let (text, how_it_ended) = response_with_fault(&stand_ins, break_rule(Point::MidHead, how)).await;
        assert!(text.starts_with("HTTP/1.1 200") && !text.contains("\r\n\r\n"), "{text}");
        assert_eq!(how_it_ended, end);
        let (text, how_it_ended) = response_with_fault(&stand_ins, break_rule(Point::AfterHead, how)).await;
        assert!(text.ends_with("Content-Length: 32\r\n\r\n"), "{text}");
        assert_eq!(how_it_ended, end);
        let (text, how_it_ended) = response_with_fault(&stand_ins, break_rule(Point::MidBody, how)).await;
        assert!(text.ends_with("Content-Length: 32\r\n\r\n{"), "{text}");
        assert_eq!(how_it_ended, end);
    }
    assert!(stand_ins.stored_ga4().is_empty());
    assert_eq!(stand_ins.counts().ga4.faults, 12);
}

#[tokio::test]
async fn a_retry_after_a_break_after_storing_creates_a_duplicate() {
    let stand_ins = stand_ins().await;
    let rule = break_rule(Point::BeforeAnswer, BreakMode::Reset).after_storing().times(1);
    assert_eq!(response_with_fault(&stand_ins, rule).await.1, Some(ErrorKind::ConnectionReset));
    assert_eq!(send_request(stand_ins.addresses().ga4, &collect("vpe-1")).await.unwrap().status, 204);
    assert_eq!(stand_ins.ga4_copies_by_event_uid()["vpe-1"], 2);
    let requests = stand_ins.requests_with(Service::Ga4, "vpe-1");
    assert_eq!(requests.iter().map(|entry| entry.status).collect::<Vec<_>>(), [None, Some(204)]);
    assert!(requests[0].events[0].verdict.is_stored());
}

#[tokio::test]
async fn a_hanging_connection_stays_open_until_the_client_closes_it() {
    let stand_ins = stand_ins().await;
    let points = [Point::BeforeReading, Point::HalfRead, Point::BeforeAnswer, Point::AfterHead];
    for (requests_before, at) in (0..).zip(points) {
        stand_ins.set_faults([break_rule(at, BreakMode::Hang)]).unwrap();
        let mut client = Client::connect(stand_ins.addresses().ga4).await.unwrap();
        client.send(&collect("vpe-1")).await.unwrap();
        stand_ins.until(|counts| counts.ga4.faults == requests_before + 1).await;
        let result = tokio::time::timeout(Duration::from_millis(30), client.read_to_end()).await;
        assert!(result.is_err(), "{at:?}");
        assert_eq!(stand_ins.counts().ga4.in_flight, 1);
        drop(client);
        stand_ins.until(|counts| counts.ga4.in_flight == 0).await;
    }
}

#[tokio::test]
async fn a_response_has_the_status_headers_and_body_of_the_fault() {
    let stand_ins = stand_ins().await;
    let answers = [
        (
            Answer::too_many_requests().retry_after(RetryAfter::Seconds(86_400)),
            "Retry-After: 86400\r\n",
            "rate limits",
        ),
        (
            Answer::empty(503).retry_after(RetryAfter::DateIn(60)),
            "Retry-After: Tue, 10 Mar 2026 12:01:00 GMT\r\n",
            "",
        ),
        (Answer::html(502), "Content-Type: text/html; charset=UTF-8\r\n", "<h1>Bad Gateway</h1>"),
        (Answer::upstream_unavailable(), "Content-Type: text/plain\r\n", "upstream connect error"),
        (Answer::redirect(307, "/elsewhere"), "Location: /elsewhere\r\n", ""),
    ];
    for (answer, header, body) in answers {
        let status = answer.status;
        stand_ins.set_faults([Rule::new(Service::Mixpanel, Fault::Answer(answer))]).unwrap();
        let response = send_request(stand_ins.addresses().mixpanel, &import(&[event("a")])).await.unwrap();
        assert_eq!(response.status, status);
        assert!(response.head.contains(header), "{}", response.head);
        assert!(response.body.contains(body), "{}", response.body);
    }
    assert!(stand_ins.mixpanel_raw().is_empty());
    assert_eq!(stand_ins.journal()[0].events[0].verdict, Outcome::Unjudged);
}

#[tokio::test]
async fn a_rule_stops_applying_after_its_limit() {
    let stand_ins = stand_ins().await;
    stand_ins.set_faults([Rule::new(Service::Ga4, Fault::Answer(Answer::empty(500))).times(2)]).unwrap();
    let mut client = Client::connect(stand_ins.addresses().ga4).await.unwrap();
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(client.send_request(&collect("vpe-1")).await.unwrap().status);
    }
    assert_eq!(statuses, [500, 500, 204]);
    assert_eq!((stand_ins.faults()[0].seen, stand_ins.faults()[0].struck), (3, 2));
}

#[tokio::test]
async fn only_the_events_of_a_rule_fail() {
    let stand_ins = stand_ins().await;
    let fault = Fault::FailRecords { field: "properties.x".to_owned(), message: "bad x".to_owned() };
    let failing = Rule::new(Service::Mixpanel, fault).events(["b"]);
    let too_large = Rule::new(Service::Ga4, Fault::Answer(Answer::html(413))).events(["vpe-2"]);
    stand_ins.set_faults([failing, too_large]).unwrap();
    let response =
        send_request(stand_ins.addresses().mixpanel, &import(&[event("a"), event("b")])).await.unwrap();
    assert_eq!(response.json()["failed_records"][0]["index"], 1);
    assert_eq!(response.json()["failed_records"][0]["message"], "bad x");
    assert_eq!(stand_ins.mixpanel_deduped_by_event_uid().into_keys().collect::<Vec<_>>(), ["a"]);
    assert_eq!(
        send_request(stand_ins.addresses().mixpanel, &import(&[event("a")])).await.unwrap().status,
        200
    );
    assert_eq!(send_request(stand_ins.addresses().ga4, &collect("vpe-1")).await.unwrap().status, 204);
    assert_eq!(send_request(stand_ins.addresses().ga4, &collect("vpe-2")).await.unwrap().status, 413);
}

#[tokio::test]
async fn import_can_lie_before_or_after_storing() {
    let stand_ins = stand_ins().await;
    let lie = Rule::new(Service::Mixpanel, Fault::ImportLie(ImportLie::FewerImported));
    for (rule, stored) in [(lie.clone(), 0), (lie.after_storing(), 2)] {
        stand_ins.set_faults([rule]).unwrap();
        let response =
            send_request(stand_ins.addresses().mixpanel, &import(&[event("a"), event("b")])).await.unwrap();
        assert_eq!(response.json(), json!({"code": 200, "num_records_imported": 1, "status": "OK"}));
        assert_eq!(stand_ins.mixpanel_raw().len(), stored);
    }
    let track = request("POST", "/track", &[], event("a").to_string().as_bytes());
    assert_eq!(
        send_request(stand_ins.addresses().mixpanel, &track).await.unwrap().body,
        "0",
        "the fault does not apply to /track"
    );
}

#[tokio::test]
async fn slow_responses_are_complete_in_the_end() {
    let stand_ins = stand_ins().await;
    for rule in [
        Rule::new(Service::Ga4, Fault::Slow).delay_millis(50),
        Rule::new(Service::Ga4, Fault::Drip { every_millis: 1 }),
    ] {
        let before = Instant::now();
        stand_ins.set_faults([rule]).unwrap();
        assert_eq!(send_request(stand_ins.addresses().ga4, &collect("vpe-1")).await.unwrap().status, 204);
        assert!(before.elapsed() >= Duration::from_millis(40), "{:?}", before.elapsed());
    }
    assert_eq!(stand_ins.stored_ga4().len(), 2);
}

#[tokio::test]
async fn the_same_seed_produces_the_same_faults() {
    let mut runs = Vec::new();
    for seed in [7, 7, 8] {
        let stand_ins = stand_ins().await;
        stand_ins.set_seed(seed);
        let unavailable = Rule::new(Service::Ga4, Fault::Answer(Answer::empty(503)));
        stand_ins.set_faults([unavailable.when(When::Chance(0.5))]).unwrap();
        let mut client = Client::connect(stand_ins.addresses().ga4).await.unwrap();
        let mut statuses = Vec::new();
        for number in 0..40 {
            statuses.push(client.send_request(&collect(&format!("vpe-{number}"))).await.unwrap().status);
        }
        runs.push(statuses);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}
