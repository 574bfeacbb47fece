//! Who is not let in, and what is not done for those who are.

use domain::access::Role;
use serde_json::{Value, json};

use super::socket::Socket;
use super::sse::{Events, ask};
use super::{Ground, STATUS};
use crate::harness::ask::Answer;

#[tokio::test]
async fn a_socket_is_closed_to_whoever_may_not_see_the_sync() {
    let ground = Ground::new().await;
    let student = ground.hub.user(Role::Student).await.token;
    let bearer = |token: &str| json!({"authorization": format!("Bearer {token}")});
    for (payload, code) in [
        (Value::Null, 4401),
        (json!({}), 4401),
        (json!({"authorization": ground.admin}), 4401),
        (bearer("x"), 4401),
        (bearer("dph_0000000000000000000000000000000000000000"), 4401),
        (bearer(&student), 4403),
    ] {
        let mut socket = Socket::open(&ground.hub).await;
        socket.init(payload.clone()).await;
        assert_eq!(socket.closed().await, code, "{payload}");
    }
}

#[tokio::test]
async fn whoever_asks_before_saying_who_they_are_is_told_nothing() {
    let ground = Ground::new().await;
    let mut socket = Socket::open(&ground.hub).await;
    socket.subscribe("a", STATUS).await;
    assert_eq!(socket.closed().await, 4401);
}

#[tokio::test]
async fn a_ping_is_answered_before_and_after_somebody_is_let_in() {
    let ground = Ground::new().await;
    let mut socket = Socket::open(&ground.hub).await;
    let (ping, answer) = (json!({"type": "ping"}), json!({"type": "pong"}));
    socket.say(ping.clone()).await;
    assert_eq!(socket.message().await, answer);
    let mut socket = socket.admitted(&ground.admin).await;
    socket.say(ping).await;
    assert_eq!(socket.message().await, answer);
}

/// The only test that waits: for as long as the hub waits for a word.
#[tokio::test]
async fn whoever_never_says_who_they_are_is_sent_away() {
    let ground = Ground::new().await;
    assert_eq!(Socket::open(&ground.hub).await.closed().await, 4408);
}

#[tokio::test]
async fn only_its_own_protocol_is_spoken() {
    let ground = Ground::new().await;
    for protocol in [Some("graphql-ws"), Some("mqtt"), None] {
        let Err(refused) = Socket::speaking(&ground.hub, protocol).await else { panic!("{protocol:?}") };
        assert_eq!(refused.status(), 400, "{protocol:?}");
    }
    let plain = Answer::of(ground.hub.http.get(ground.hub.url("/graphql/ws"))).await;
    assert_eq!((plain.status, plain.code()), (400, "BAD_USER_INPUT".to_owned()));
}

const OTHER_DOCUMENTS: [&str; 3] = [
    "{ syncStatus { eventsPending } }",
    "mutation { runTelemetrySync { state } }",
    "subscription A { syncStatus { eventsPending } } mutation B { runTelemetrySync { state } }",
];

#[tokio::test]
async fn only_subscriptions_are_taken() {
    let ground = Ground::new().await;
    ground.events(1).await;
    let mut socket = Socket::open(&ground.hub).await.admitted(&ground.admin).await;
    for (place, document) in OTHER_DOCUMENTS.into_iter().enumerate() {
        let id = place.to_string();
        socket.subscribe(&id, document).await;
        let answer = socket.message().await;
        assert_eq!(answer["id"], json!(id), "{answer}");
        let told = answer.to_string();
        assert!(told.contains("BAD_USER_INPUT"), "{document}: {told}");
        // Whatever else belongs to it is passed over.
        while answer["type"] == "next" && socket.message().await["type"] != "complete" {}
        let mut events = Events::of(&ground.hub, &ground.admin, document).await;
        let (_, told) = events.event().await.unwrap();
        assert!(told.contains("BAD_USER_INPUT"), "{document}: {told}");
        assert_eq!(events.event().await, Some(("complete".to_owned(), String::new())));
    }
    // The socket still serves, and nothing was run.
    socket.subscribe("a", STATUS).await;
    assert_eq!(socket.next("a").await["syncStatus"]["eventsPending"], 1);
    assert_eq!(ground.hub.rows("SELECT id FROM telemetry_sync_logs").await, json!([]));
}

#[tokio::test]
async fn a_stream_is_refused_as_any_other_request() {
    let ground = Ground::new().await;
    let student = ground.hub.user(Role::Student).await.token;
    let nobody = Answer::of(ask(&ground.hub, STATUS)).await;
    assert_eq!((nobody.status, nobody.code()), (401, "UNAUTHENTICATED".to_owned()));
    let unknown = Answer::of(ask(&ground.hub, STATUS).bearer_auth("x")).await;
    assert_eq!((unknown.status, unknown.code()), (401, "UNAUTHENTICATED".to_owned()));
    let student = Answer::of(ask(&ground.hub, STATUS).bearer_auth(&student)).await;
    assert_eq!((student.status, student.code()), (403, "FORBIDDEN".to_owned()));
}
