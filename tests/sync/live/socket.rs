//! A client of the protocol `graphql-transport-ws`.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Response;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::PATIENCE;
use crate::harness::hub::Hub;

/// A connection.
pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// A connection on which nothing was said yet.
    pub async fn open(hub: &Hub) -> Self {
        Self::speaking(hub, Some("graphql-transport-ws")).await.unwrap()
    }

    /// A connection on which this protocol is asked for, unless it is refused.
    pub async fn speaking(hub: &Hub, protocol: Option<&str>) -> Result<Self, Response> {
        let address = hub.url("/graphql/ws").replace("http://", "ws://");
        let mut request = address.into_client_request().unwrap();
        if let Some(protocol) = protocol {
            request.headers_mut().insert("sec-websocket-protocol", protocol.parse().unwrap());
        }
        match timeout(PATIENCE, connect_async(request)).await.unwrap() {
            Ok((stream, _)) => Ok(Self(stream)),
            Err(Error::Http(response)) => Err(*response),
            Err(error) => panic!("{error}"),
        }
    }

    /// Says who is there, which the hub acknowledges.
    pub async fn admitted(mut self, token: &str) -> Self {
        self.init(json!({"authorization": format!("Bearer {token}")})).await;
        assert_eq!(self.message().await, json!({"type": "connection_ack"}));
        self
    }

    /// Says who is there.
    pub async fn init(&mut self, payload: Value) {
        self.say(json!({"type": "connection_init", "payload": payload})).await;
    }

    /// Asks for a subscription, or for whatever else the document says.
    pub async fn subscribe(&mut self, id: &str, document: &str) {
        self.say(json!({"id": id, "type": "subscribe", "payload": {"query": document}})).await;
    }

    /// Wants no more of a subscription.
    pub async fn complete(&mut self, id: &str) {
        self.say(json!({"id": id, "type": "complete"})).await;
    }

    pub async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    /// The next message.
    pub async fn message(&mut self) -> Value {
        match self.frame().await {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// The data of the next answer to a subscription, which is the only one.
    pub async fn next(&mut self, id: &str) -> Value {
        let mut message = self.message().await;
        assert_eq!((&message["type"], &message["id"]), (&json!("next"), &json!(id)), "{message}");
        assert!(message["payload"]["errors"].is_null(), "{message}");
        message["payload"]["data"].take()
    }

    /// One answer to each of two subscriptions, in whatever order.
    pub async fn both(&mut self, one: &str, other: &str) {
        let mut answered = [self.message().await, self.message().await].map(|message| message["id"].clone());
        answered.sort_by_key(Value::to_string);
        assert_eq!(answered, [json!(one), json!(other)]);
    }

    /// The first status of a subscription that is as wanted; those of others are passed over.
    pub async fn until(&mut self, id: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let mut message = self.message().await;
            if message["id"] == id {
                let status = message["payload"]["data"]["syncStatus"].take();
                assert!(!status.is_null(), "{message}");
                if is_wanted(&status) {
                    return status;
                }
            }
        }
    }

    /// The code with which the hub closes the connection, which it does before it says anything else.
    pub async fn closed(&mut self) -> u16 {
        match self.frame().await {
            Message::Close(frame) => frame.unwrap().code.into(),
            other => panic!("{other:?}"),
        }
    }

    async fn frame(&mut self) -> Message {
        let frame = timeout(PATIENCE, self.0.next()).await.expect("the hub says something in time");
        frame.expect("the connection is open").unwrap()
    }
}
