//! A client for the `graphql-transport-ws` protocol.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Response;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::MESSAGE_TIMEOUT;
use crate::harness::hub::Hub;

/// A WebSocket connection to the hub.
pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Connects without authenticating.
    pub async fn open(hub: &Hub) -> Self {
        Self::with_protocol(hub, Some("graphql-transport-ws")).await.unwrap()
    }

    /// Connects and requests this protocol. Returns the response if the hub refuses.
    pub async fn with_protocol(hub: &Hub, protocol: Option<&str>) -> Result<Self, Response> {
        let address = hub.url("/graphql/ws").replace("http://", "ws://");
        let mut request = address.into_client_request().unwrap();
        if let Some(protocol) = protocol {
            request.headers_mut().insert("sec-websocket-protocol", protocol.parse().unwrap());
        }
        match timeout(MESSAGE_TIMEOUT, connect_async(request)).await.unwrap() {
            Ok((stream, _)) => Ok(Self(stream)),
            Err(Error::Http(response)) => Err(*response),
            Err(error) => panic!("{error}"),
        }
    }

    /// Authenticates and waits for the acknowledgement.
    pub async fn admitted(mut self, token: &str) -> Self {
        self.init(json!({"authorization": format!("Bearer {token}")})).await;
        assert_eq!(self.receive().await, json!({"type": "connection_ack"}));
        self
    }

    /// Sends `connection_init`.
    pub async fn init(&mut self, payload: Value) {
        self.send_json(json!({"type": "connection_init", "payload": payload})).await;
    }

    /// Starts an operation, usually a subscription.
    pub async fn subscribe(&mut self, id: &str, document: &str) {
        self.send_json(json!({"id": id, "type": "subscribe", "payload": {"query": document}})).await;
    }

    /// Ends a subscription.
    pub async fn complete(&mut self, id: &str) {
        self.send_json(json!({"id": id, "type": "complete"})).await;
    }

    pub async fn send_json(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    /// Waits for the next message.
    pub async fn receive(&mut self) -> Value {
        match self.frame().await {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// Waits for the next result of the only subscription and returns its data.
    pub async fn next(&mut self, id: &str) -> Value {
        let mut message = self.receive().await;
        assert_eq!((&message["type"], &message["id"]), (&json!("next"), &json!(id)), "{message}");
        assert!(message["payload"]["errors"].is_null(), "{message}");
        message["payload"]["data"].take()
    }

    /// Waits for one result of each of two subscriptions, in any order.
    pub async fn both(&mut self, one: &str, other: &str) {
        let mut ids = [self.receive().await, self.receive().await].map(|message| message["id"].clone());
        ids.sort_by_key(Value::to_string);
        assert_eq!(ids, [json!(one), json!(other)]);
    }

    /// Waits for the first matching status of a subscription. Skips results of other subscriptions.
    pub async fn until(&mut self, id: &str, matches: impl Fn(&Value) -> bool) -> Value {
        loop {
            let mut message = self.receive().await;
            if message["id"] == id {
                let status = message["payload"]["data"]["syncStatus"].take();
                assert!(!status.is_null(), "{message}");
                if matches(&status) {
                    return status;
                }
            }
        }
    }

    /// Waits for the close frame, which must be the next frame, and returns its code.
    pub async fn closed(&mut self) -> u16 {
        match self.frame().await {
            Message::Close(frame) => frame.unwrap().code.into(),
            other => panic!("{other:?}"),
        }
    }

    async fn frame(&mut self) -> Message {
        let frame = timeout(MESSAGE_TIMEOUT, self.0.next()).await.expect("the hub sends a frame in time");
        frame.expect("the connection is open").unwrap()
    }
}
