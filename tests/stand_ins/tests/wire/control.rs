//! The control interface, as a script uses it.

use serde_json::{Value, json};
use stand_ins::config::Keep;
use stand_ins::{ClockSetting, Entry};

use crate::client::{Response, collect, event, import, request, send_request, stand_ins};

#[tokio::test]
async fn a_script_can_do_what_a_test_can() {
    let stand_ins = stand_ins().await;
    let addresses = stand_ins.addresses();
    let get = async |target: &str| {
        send_request(addresses.control, &request("GET", target, &[], b"")).await.unwrap()
    };
    let post = async |target: &str, body: Value| {
        send_request(addresses.control, &request("POST", target, &[], body.to_string().as_bytes()))
            .await
            .unwrap()
            .status
    };

    let rule = json!({"service": "mixpanel", "times": 1, "fault": {"answer": {"status": 503}}});
    assert_eq!(post("/__faults", json!([rule])).await, 204);
    assert_eq!(send_request(addresses.mixpanel, &import(&[event("a")])).await.unwrap().status, 503);
    assert_eq!(get("/__faults").await.json()[0]["struck"], 1);
    assert_eq!(send_request(addresses.mixpanel, &import(&[event("a")])).await.unwrap().status, 200);
    send_request(addresses.ga4, &collect("vpe-1")).await.unwrap();
    send_request(addresses.ga4, &collect("vpe-1")).await.unwrap();

    let journal = get("/__journal?service=mixpanel").await.json();
    let entries: Vec<Entry> = serde_json::from_value(journal["entries"].clone()).unwrap();
    assert_eq!(entries.iter().map(|entry| entry.status).collect::<Vec<_>>(), [Some(503), Some(200)]);
    assert_eq!(journal["counts"]["ga4"]["requests"], 2);
    let stored = get("/__stored").await.json();
    assert_eq!(stored["mixpanel"]["deduped"][0]["event_uid"], "a");
    assert_eq!(get("/__stored?duplicates=1").await.json(), json!({"ga4": {"copies": {"vpe-1": 2}}}));

    assert_eq!(post("/__clock", json!({"offset_seconds": 60})).await, 204);
    assert_eq!(get("/__clock").await.json()["setting"], json!({"offset_seconds": 60}));
    assert_eq!(post("/__config", json!({"ga4": {"other_method_status": 204}})).await, 204);
    let config = get("/__config").await.json();
    assert_eq!(
        (&config["ga4"]["other_method_status"], &config["ga4"]["body_limit"]),
        (&json!(204), &json!(130_000))
    );
    assert_eq!(post("/__listen", json!({"service": "ga4", "open": false})).await, 204);
    assert!(send_request(addresses.ga4, &collect("vpe-1")).await.is_err());
    assert_eq!(post("/__listen", json!({"service": "ga4", "open": true})).await, 204);
    assert_eq!(post("/__reset", json!(null)).await, 204);
    assert_eq!(get("/__journal").await.json()["entries"], json!([]));
    assert!(stand_ins.mixpanel_raw().is_empty() && stand_ins.faults().is_empty());
}

#[tokio::test]
async fn errors_are_reported() {
    let stand_ins = stand_ins().await;
    let post = async |target: &str, body: &str| -> Response {
        send_request(stand_ins.addresses().control, &request("POST", target, &[], body.as_bytes()))
            .await
            .unwrap()
    };
    let unread = r#"[{"service":"ga4","route":"/x","fault":{"refuse":{"for_millis":1}}}]"#;
    assert!(
        post("/__faults", unread).await.json()["error"]
            .as_str()
            .unwrap()
            .contains("before the request is read")
    );
    assert_eq!(post("/__config", r#"{"gaa4":{}}"#).await.status, 400);
    assert_eq!(post("/__clock", "later").await.status, 400);
    assert_eq!(post("/__nothing", "").await.status, 404);
}

#[tokio::test]
async fn requests_and_events_that_are_not_kept_are_counted() {
    let stand_ins = stand_ins().await;
    stand_ins.configure(|config| (config.journal, config.stored) = (Keep::Last(1), Keep::Nothing));
    stand_ins.set_clock(ClockSetting::System);
    for _ in 0..3 {
        send_request(stand_ins.addresses().ga4, &collect("vpe-1")).await.unwrap();
    }
    assert_eq!((stand_ins.journal().len(), stand_ins.stored_ga4().len()), (1, 0));
    assert_eq!((stand_ins.counts().ga4.requests, stand_ins.counts().ga4.stored), (3, 3));
}
