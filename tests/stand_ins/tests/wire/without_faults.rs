//! The services without faults.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use stand_ins::config::{CollectAnswer, EmptyImport, InsertIdKey, PROJECT_TOKEN};
use stand_ins::{DropReason, Outcome, Service};

use crate::client::{Client, basic, collect, event, import, request, send_request, stand_ins};

#[tokio::test]
async fn ga4_always_responds_with_204_and_the_journal_has_the_outcome() {
    let stand_ins = stand_ins().await;
    let mut client = Client::connect(stand_ins.addresses().ga4).await.unwrap();
    let wrong_secret =
        request("POST", "/mp/collect?measurement_id=G-1&api_secret=x", &[], b"{\"events\":[{}]}");
    let invalid_json = request("POST", "/mp/collect", &[], b"{");
    for request in [collect("vpe-1"), wrong_secret, invalid_json, collect("vpe-1")] {
        let response = client.send_request(&request).await.unwrap();
        assert_eq!((response.status, response.body.as_str()), (204, ""));
    }
    let requests = stand_ins.requests(Service::Ga4);
    assert_eq!(
        requests[1].events[0].verdict,
        Outcome::Dropped { reason: DropReason::UnknownStream, detail: None }
    );
    assert_eq!(requests[2].body, b"{");
    assert!(requests.iter().all(|entry| entry.connection == requests[0].connection && entry.in_flight == 1));
    assert_eq!(stand_ins.ga4_copies_by_event_uid()["vpe-1"], 2, "GA4 does not deduplicate");
    assert_eq!((stand_ins.counts().ga4.stored, stand_ins.counts().ga4.not_stored), (2, 1));
    assert_eq!(stand_ins.gaps(Service::Ga4).len(), 3);
}

#[tokio::test]
async fn the_success_response_of_ga4_is_configurable() {
    let stand_ins = stand_ins().await;
    for (collect_answer, status, body) in [
        (CollectAnswer::Ok, "HTTP/1.1 200 OK", ""),
        (CollectAnswer::NoContentWithBody, "HTTP/1.1 204 No Content", "ok"),
    ] {
        stand_ins.configure(|config| config.ga4.collect_answer = collect_answer);
        let response = send_request(stand_ins.addresses().ga4, &collect("a")).await.unwrap();
        assert!(response.head.starts_with(status));
        assert_eq!(response.body, body);
    }
    let response =
        send_request(stand_ins.addresses().ga4, &request("GET", "/mp/collect", &[], b"")).await.unwrap();
    assert_eq!(response.status, 405);
    assert_eq!(
        send_request(stand_ins.addresses().ga4, &request("POST", "/x", &[], b"")).await.unwrap().status,
        404
    );
}

#[tokio::test]
async fn the_validation_server_of_ga4_reports_errors_and_stores_nothing() {
    let stand_ins = stand_ins().await;
    let body = br#"{"client_id":"1.1","events":[{"name":"banner-click"}]}"#;
    let target = "/debug/mp/collect?measurement_id=G-1&api_secret=x";
    let response =
        send_request(stand_ins.addresses().ga4, &request("POST", target, &[], body)).await.unwrap();
    let message = response.json()["validationMessages"][0].clone();
    assert_eq!(response.status, 200);
    assert_eq!(message["validationCode"], "NAME_INVALID");
    assert_eq!(
        message["description"],
        "Event at index: [0] has invalid name [banner-click]. Only alphanumeric characters and underscores are allowed."
    );
    assert!(stand_ins.stored_ga4().is_empty());
}

#[tokio::test]
async fn import_stores_valid_events_and_lists_invalid_ones() {
    let stand_ins = stand_ins().await;
    let mut invalid = event("b");
    invalid["properties"]["time"] = json!("yesterday");
    let response =
        send_request(stand_ins.addresses().mixpanel, &import(&[event("a"), invalid.clone()])).await.unwrap();
    let message = "'properties.time' is invalid: must be specified as seconds since epoch";
    let failed = json!({"index": 1, "insert_id": "id-b", "field": "properties.time", "message": message});
    let expected = json!({
        "code": 400,
        "error": "some data points in the request failed validation",
        "status": "Bad Request",
        "num_records_imported": 1,
        "failed_records": [failed],
    });
    assert_eq!((response.status, response.json()), (400, expected));
    stand_ins.configure(|config| config.mixpanel.insert_id_key = InsertIdKey::DollarInsertId);
    let response = send_request(stand_ins.addresses().mixpanel, &import(&[invalid])).await.unwrap();
    assert_eq!(response.json()["failed_records"][0]["$insert_id"], "id-b");

    let again = send_request(stand_ins.addresses().mixpanel, &import(&[event("a")])).await.unwrap();
    assert_eq!(again.json(), json!({"code": 200, "num_records_imported": 1, "status": "OK"}));
    assert_eq!(stand_ins.mixpanel_raw().len(), 2);
    assert_eq!(stand_ins.mixpanel_deduped().len(), 1);
    assert_eq!(stand_ins.mixpanel_deduped_by_event_uid()["a"], 1);
}

#[tokio::test]
async fn import_rejects_missing_credentials_and_requests_over_the_limits() {
    let stand_ins = stand_ins().await;
    let mixpanel = stand_ins.addresses().mixpanel;
    let response = send_request(mixpanel, &request("POST", "/import", &[], b"[]")).await.unwrap();
    let expected = json!({"code": 401, "error": "Invalid credentials", "status": "Unauthorized"});
    assert_eq!((response.status, response.json()), (401, expected));

    stand_ins.configure(|config| config.mixpanel.event_limit = 1);
    assert_eq!(send_request(mixpanel, &import(&[event("a"), event("b")])).await.unwrap().status, 413);
    stand_ins.configure(|config| config.mixpanel.too_many_events_status = 400);
    assert_eq!(send_request(mixpanel, &import(&[event("a"), event("b")])).await.unwrap().status, 400);

    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(json!([{"padding": "x".repeat(2_097_152)}]).to_string().as_bytes()).unwrap();
    let authorization = format!("Authorization: {}", basic(&format!("{PROJECT_TOKEN}:")));
    let headers = [authorization.as_str(), "Content-Encoding: gzip"];
    let compressed = request("POST", "/import", &headers, &gzip.finish().unwrap());
    let response = send_request(mixpanel, &compressed).await.unwrap();
    assert_eq!(response.json()["error"], "request exceeds max limit of 2097152 bytes");
    assert!(stand_ins.mixpanel_raw().is_empty());
}

#[tokio::test]
async fn an_empty_import_succeeds_or_is_refused() {
    let stand_ins = stand_ins().await;
    let response = send_request(stand_ins.addresses().mixpanel, &import(&[])).await.unwrap();
    assert_eq!(response.json(), json!({"code": 200, "num_records_imported": 0, "status": "OK"}));
    stand_ins.configure(|config| config.mixpanel.empty_import = EmptyImport::Refused);
    let response = send_request(stand_ins.addresses().mixpanel, &import(&[])).await.unwrap();
    let expected = json!({"code": 400, "error": "data, missing or empty", "status": "Bad Request"});
    assert_eq!((response.status, response.json()), (400, expected));
}

#[tokio::test]
async fn import_counts_events_with_ignore_but_does_not_store_them() {
    let stand_ins = stand_ins().await;
    let mut ignored = event("a");
    ignored["properties"]["$ignore"] = json!(true);
    let response = send_request(stand_ins.addresses().mixpanel, &import(&[ignored])).await.unwrap();
    assert_eq!(response.json()["num_records_imported"], 1);
    assert!(stand_ins.mixpanel_raw().is_empty());
}

#[tokio::test]
async fn import_without_strict_returns_only_one_or_zero() {
    let stand_ins = stand_ins().await;
    let authorization = format!("Authorization: {}", basic(&format!("{PROJECT_TOKEN}:")));
    let response_body = async |events: Value| {
        let body = events.to_string();
        let request = request("POST", "/import?strict=0", &[&authorization], body.as_bytes());
        send_request(stand_ins.addresses().mixpanel, &request).await.unwrap().body
    };
    assert_eq!(response_body(json!([event("a"), {}])).await, "1");
    assert_eq!(response_body(json!([{}])).await, "0");
    assert_eq!(stand_ins.mixpanel_raw().len(), 1);
}

#[tokio::test]
async fn track_reports_success_for_a_wrong_token_but_stores_nothing() {
    let stand_ins = stand_ins().await;
    let mut wrong_token = event("a");
    wrong_token["properties"]["token"] = json!("wrong");
    let mut right_token = event("b");
    right_token["properties"]["token"] = json!(PROJECT_TOKEN);
    let body = json!([wrong_token, right_token]).to_string();
    let request = request("POST", "/track?verbose=1&ip=0", &[], body.as_bytes());
    let response = send_request(stand_ins.addresses().mixpanel, &request).await.unwrap();
    assert_eq!((response.status, response.json()), (200, json!({"status": 1, "error": null})));
    let stored: Vec<_> = stand_ins.mixpanel_raw().into_iter().filter_map(|event| event.event_uid).collect();
    assert_eq!(stored, ["b"]);
}
