//! Without faults.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use stand_ins::config::{CollectAnswer, EmptyImport, InsertIdKey, PROJECT_TOKEN};
use stand_ins::{Reason, Service, Verdict};

use crate::client::{Client, ask, basic, collect, event, import, request, stand_ins};

#[tokio::test]
async fn ga4_answers_everything_with_204_and_the_verdict_is_in_the_journal() {
    let stand_ins = stand_ins().await;
    let mut client = Client::connect(stand_ins.addresses().ga4).await.unwrap();
    let wrong_secret =
        request("POST", "/mp/collect?measurement_id=G-1&api_secret=x", &[], b"{\"events\":[{}]}");
    let broken = request("POST", "/mp/collect", &[], b"{");
    for request in [collect("vpe-1"), wrong_secret, broken, collect("vpe-1")] {
        let answer = client.ask(&request).await.unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    }
    let requests = stand_ins.requests(Service::Ga4);
    assert_eq!(
        requests[1].events[0].verdict,
        Verdict::Dropped { reason: Reason::UnknownStream, detail: None }
    );
    assert_eq!(requests[2].body, b"{");
    assert!(requests.iter().all(|entry| entry.connection == requests[0].connection && entry.in_flight == 1));
    assert_eq!(stand_ins.ga4_copies_by_event_uid()["vpe-1"], 2, "GA4 knows no repetitions");
    assert_eq!((stand_ins.counts().ga4.stored, stand_ins.counts().ga4.not_stored), (2, 1));
    assert_eq!(stand_ins.gaps(Service::Ga4).len(), 3);
}

#[tokio::test]
async fn ga4s_success_comes_in_the_shape_that_is_asked_for() {
    let stand_ins = stand_ins().await;
    for (shape, status, rest) in [
        (CollectAnswer::Ok, "HTTP/1.1 200 OK", ""),
        (CollectAnswer::NoContentWithBody, "HTTP/1.1 204 No Content", "ok"),
    ] {
        stand_ins.configure(|config| config.ga4.collect_answer = shape);
        let answer = ask(stand_ins.addresses().ga4, &collect("a")).await.unwrap();
        assert!(answer.head.starts_with(status));
        assert_eq!(answer.body, rest);
    }
    let answer = ask(stand_ins.addresses().ga4, &request("GET", "/mp/collect", &[], b"")).await.unwrap();
    assert_eq!(answer.status, 405);
    assert_eq!(ask(stand_ins.addresses().ga4, &request("POST", "/x", &[], b"")).await.unwrap().status, 404);
}

#[tokio::test]
async fn ga4s_validation_tells_and_stores_nothing() {
    let stand_ins = stand_ins().await;
    let body = br#"{"client_id":"1.1","events":[{"name":"banner-click"}]}"#;
    let target = "/debug/mp/collect?measurement_id=G-1&api_secret=x";
    let answer = ask(stand_ins.addresses().ga4, &request("POST", target, &[], body)).await.unwrap();
    let message = answer.json()["validationMessages"][0].clone();
    assert_eq!(answer.status, 200);
    assert_eq!(message["validationCode"], "NAME_INVALID");
    assert_eq!(
        message["description"],
        "Event at index: [0] has invalid name [banner-click]. Only alphanumeric characters and underscores are allowed."
    );
    assert!(stand_ins.stored_ga4().is_empty());
}

#[tokio::test]
async fn import_stores_the_good_and_lists_the_bad() {
    let stand_ins = stand_ins().await;
    let mut late = event("b");
    late["properties"]["time"] = json!("yesterday");
    let answer = ask(stand_ins.addresses().mixpanel, &import(&[event("a"), late.clone()])).await.unwrap();
    let message = "'properties.time' is invalid: must be specified as seconds since epoch";
    let failed = json!({"index": 1, "insert_id": "id-b", "field": "properties.time", "message": message});
    let expected = json!({
        "code": 400,
        "error": "some data points in the request failed validation",
        "status": "Bad Request",
        "num_records_imported": 1,
        "failed_records": [failed],
    });
    assert_eq!((answer.status, answer.json()), (400, expected));
    stand_ins.configure(|config| config.mixpanel.insert_id_key = InsertIdKey::DollarInsertId);
    let answer = ask(stand_ins.addresses().mixpanel, &import(&[late])).await.unwrap();
    assert_eq!(answer.json()["failed_records"][0]["$insert_id"], "id-b");

    let again = ask(stand_ins.addresses().mixpanel, &import(&[event("a")])).await.unwrap();
    assert_eq!(again.json(), json!({"code": 200, "num_records_imported": 1, "status": "OK"}));
    assert_eq!(stand_ins.mixpanel_raw().len(), 2);
    assert_eq!(stand_ins.mixpanel_deduped().len(), 1);
    assert_eq!(stand_ins.mixpanel_deduped_by_event_uid()["a"], 1);
}

#[tokio::test]
async fn import_refuses_strangers_and_what_is_too_much() {
    let stand_ins = stand_ins().await;
    let mixpanel = stand_ins.addresses().mixpanel;
    let answer = ask(mixpanel, &request("POST", "/import", &[], b"[]")).await.unwrap();
    let expected = json!({"code": 401, "error": "Invalid credentials", "status": "Unauthorized"});
    assert_eq!((answer.status, answer.json()), (401, expected));

    stand_ins.configure(|config| config.mixpanel.event_limit = 1);
    assert_eq!(ask(mixpanel, &import(&[event("a"), event("b")])).await.unwrap().status, 413);
    stand_ins.configure(|config| config.mixpanel.too_many_events_status = 400);
    assert_eq!(ask(mixpanel, &import(&[event("a"), event("b")])).await.unwrap().status, 400);

    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(json!([{"padding": "x".repeat(2_097_152)}]).to_string().as_bytes()).unwrap();
    let authorization = format!("Authorization: {}", basic(&format!("{PROJECT_TOKEN}:")));
    let headers = [authorization.as_str(), "Content-Encoding: gzip"];
    let small_on_the_wire = request("POST", "/import", &headers, &gzip.finish().unwrap());
    let answer = ask(mixpanel, &small_on_the_wire).await.unwrap();
    assert_eq!(answer.json()["error"], "request exceeds max limit of 2097152 bytes");
    assert!(stand_ins.mixpanel_raw().is_empty());
}

#[tokio::test]
async fn an_import_of_nothing_is_counted_or_refused() {
    let stand_ins = stand_ins().await;
    let answer = ask(stand_ins.addresses().mixpanel, &import(&[])).await.unwrap();
    assert_eq!(answer.json(), json!({"code": 200, "num_records_imported": 0, "status": "OK"}));
    stand_ins.configure(|config| config.mixpanel.empty_import = EmptyImport::Refused);
    let answer = ask(stand_ins.addresses().mixpanel, &import(&[])).await.unwrap();
    let refused = json!({"code": 400, "error": "data, missing or empty", "status": "Bad Request"});
    assert_eq!((answer.status, answer.json()), (400, refused));
}

#[tokio::test]
async fn import_counts_what_asks_to_be_ignored_and_keeps_it_not() {
    let stand_ins = stand_ins().await;
    let mut ignored = event("a");
    ignored["properties"]["$ignore"] = json!(true);
    let answer = ask(stand_ins.addresses().mixpanel, &import(&[ignored])).await.unwrap();
    assert_eq!(answer.json()["num_records_imported"], 1);
    assert!(stand_ins.mixpanel_raw().is_empty());
}

#[tokio::test]
async fn import_without_strictness_only_says_one_or_zero() {
    let stand_ins = stand_ins().await;
    let authorization = format!("Authorization: {}", basic(&format!("{PROJECT_TOKEN}:")));
    let said = async |events: Value| {
        let body = events.to_string();
        let request = request("POST", "/import?strict=0", &[&authorization], body.as_bytes());
        ask(stand_ins.addresses().mixpanel, &request).await.unwrap().body
    };
    assert_eq!(said(json!([event("a"), {}])).await, "1");
    assert_eq!(said(json!([{}])).await, "0");
    assert_eq!(stand_ins.mixpanel_raw().len(), 1);
}

#[tokio::test]
async fn track_calls_a_wrong_token_a_success_and_keeps_nothing() {
    let stand_ins = stand_ins().await;
    let mut stranger = event("a");
    stranger["properties"]["token"] = json!("wrong");
    let mut known = event("b");
    known["properties"]["token"] = json!(PROJECT_TOKEN);
    let body = json!([stranger, known]).to_string();
    let request = request("POST", "/track?verbose=1&ip=0", &[], body.as_bytes());
    let answer = ask(stand_ins.addresses().mixpanel, &request).await.unwrap();
    assert_eq!((answer.status, answer.json()), (200, json!({"status": 1, "error": null})));
    let stored: Vec<_> = stand_ins.mixpanel_raw().into_iter().filter_map(|event| event.event_uid).collect();
    assert_eq!(stored, ["b"]);
}
