//! Subscriptions that are refused.

use domain::access::Role;
use serde_json::{Value, json};

use super::socket::Socket;
use super::{STATUS, SyncFixture};
use crate::harness::event_stream::{Events, stream_request};
use crate::harness::request::ApiResponse;

#[tokio::test]
async fn a_socket_is_closed_if_the_caller_may_not_see_the_sync() {
    let fixture = SyncFixture::new().await;
    let student = fixture.hub.user(Role::Student).await.token;
    let bearer = |token: &str| json!({"authorization": format!("Bearer {token}")});
    for (payload, code) in [
        (Value::Null, 4401),
        (json!({}), 4401),
        (json!({"authorization": fixture.admin_token}), 4401),
        (bearer("x"), 4401),
        (bearer("dph_0000000000000000000000000000000000000000"), 4401),
        (bearer(&student), 4403),
    ] {
        let mut socket = Socket::open(&fixture.hub).await;
        socket.init(payload.clone()).await;
        assert_eq!(socket.closed().await, code, "{payload}");
    }
}

#[tokio::test]
async fn subscribing_before_authenticating_closes_the_socket() {
    let fixture = SyncFixture::new().await;
    let mut socket = Socket::open(&fixture.hub).await;
    socket.subscribe("a", STATUS).await;
    assert_eq!(socket.closed().await, 4401);
}

#[tokio::test]
async fn a_ping_is_answered_before_and_after_authentication() {
    let fixture = SyncFixture::new().await;
    let mut socket = Socket::open(&fixture.hub).await;
    let (ping, answer) = (json!({"type": "ping"}), json!({"type": "pong"}));
    socket.send_json(ping.clone()).await;
    assert_eq!(socket.receive().await, answer);
    let mut socket = socket.admitted(&fixture.admin_token).await;
    socket.send_json(ping).await;
    assert_eq!(socket.receive().await, answer);
}

#[tokio::test]
async fn only_the_chosen_operation_must_be_a_subscription() {
    let fixture = SyncFixture::new().await;
    let mut socket = Socket::open(&fixture.hub).await.admitted(&fixture.admin_token).await;
    let document = "subscription Status { syncStatus { eventsPending } } query Me { viewer { id } }";
    let mut send = async |id: &str, name: Option<&str>| {
        let payload = json!({"query": document, "operationName": name});
        socket.send_json(json!({"type": "subscribe", "id": id, "payload": payload})).await;
        loop {
            let message = socket.receive().await;
            if message["id"] == id {
                break message["payload"].clone();
            }
        }
    };
    let refused = send("a", Some("Me")).await;
    let message = refused["errors"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("query: Aquí solo se aceptan suscripciones"), "{refused}");
    assert!(send("b", None).await["errors"][0]["message"].is_string());
    assert_eq!(send("c", Some("Status")).await["data"]["syncStatus"]["eventsPending"], 0);
}

/// This test waits for as long as the hub waits for `connection_init`.
#[tokio::test]
async fn a_socket_that_does_not_authenticate_in_time_is_closed() {
    let fixture = SyncFixture::new().await;
    assert_eq!(Socket::open(&fixture.hub).await.closed().await, 4408);
}

#[tokio::test]
async fn only_graphql_transport_ws_is_accepted() {
    let fixture = SyncFixture::new().await;
    for protocol in [Some("graphql-ws"), Some("mqtt"), None] {
        let Err(refused) = Socket::with_protocol(&fixture.hub, protocol).await else {
            panic!("{protocol:?}")
        };
        assert_eq!(refused.status(), 400, "{protocol:?}");
    }
    let plain = ApiResponse::of(fixture.hub.http.get(fixture.hub.url("/graphql/ws"))).await;
    assert_eq!((plain.status, plain.code()), (400, "BAD_USER_INPUT".to_owned()));
}

const OTHER_DOCUMENTS: [&str; 3] = [
    "{ syncStatus { eventsPending } }",
    "mutation { runTelemetrySync { state } }",
    "subscription A { syncStatus { eventsPending } } mutation B { runTelemetrySync { state } }",
];

#[tokio::test]
async fn only_subscriptions_are_accepted() {
    let fixture = SyncFixture::new().await;
    fixture.insert_events(1).await;
    let mut socket = Socket::open(&fixture.hub).await.admitted(&fixture.admin_token).await;
    for (index, document) in OTHER_DOCUMENTS.into_iter().enumerate() {
        let id = index.to_string();
        socket.subscribe(&id, document).await;
        let answer = socket.receive().await;
        assert_eq!(answer["id"], json!(id), "{answer}");
        let response = answer.to_string();
        assert!(response.contains("BAD_USER_INPUT"), "{document}: {response}");
        // Skips the other messages of this operation.
        while answer["type"] == "next" && socket.receive().await["type"] != "complete" {}
        let mut events = Events::of(&fixture.hub, &fixture.admin_token, document).await;
        let (_, response) = events.event().await.unwrap();
        assert!(response.contains("BAD_USER_INPUT"), "{document}: {response}");
        assert_eq!(events.event().await, Some(("complete".to_owned(), String::new())));
    }
    // The socket still works, and no run was started.
    socket.subscribe("a", STATUS).await;
    assert_eq!(socket.next("a").await["syncStatus"]["eventsPending"], 1);
    assert_eq!(fixture.hub.rows("SELECT id FROM telemetry_sync_logs").await, json!([]));
}

#[tokio::test]
async fn an_event_stream_requires_authentication_and_permission() {
    let fixture = SyncFixture::new().await;
    let student = fixture.hub.user(Role::Student).await.token;
    let anonymous = ApiResponse::of(stream_request(&fixture.hub, STATUS)).await;
    assert_eq!((anonymous.status, anonymous.code()), (401, "UNAUTHENTICATED".to_owned()));
    let unknown = ApiResponse::of(stream_request(&fixture.hub, STATUS).bearer_auth("x")).await;
    assert_eq!((unknown.status, unknown.code()), (401, "UNAUTHENTICATED".to_owned()));
    let student = ApiResponse::of(stream_request(&fixture.hub, STATUS).bearer_auth(&student)).await;
    assert_eq!((student.status, student.code()), (403, "FORBIDDEN".to_owned()));
}
