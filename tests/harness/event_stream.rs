//! A client for server-sent events.

use std::time::Duration;

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::hub::Hub;

/// Much longer than any expected message takes.
pub const MESSAGE_TIMEOUT: Duration = Duration::from_secs(30);

const PATH: &str = "/graphql/stream";

/// An open event stream.
pub struct Events {
    response: Response,
    received: Vec<u8>,
}

impl Events {
    /// Starts a subscription that the hub accepts.
    pub async fn of(hub: &Hub, token: &str, document: &str) -> Self {
        Self::begin(stream_request(hub, document), token).await
    }

    /// Like [`Events::of`], but on the real server at this address.
    pub async fn from_server(hub: &Hub, address: &str, token: &str, document: &str) -> Self {
        Self::begin(stream_request_to(hub, format!("{address}{PATH}"), document), token).await
    }

    async fn begin(request: RequestBuilder, token: &str) -> Self {
        let response = request.bearer_auth(token).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, received: Vec::new() }
    }

    /// Waits for the next event and returns its name and data, or `None` at the end of the stream.
    pub async fn event(&mut self) -> Option<(String, String)> {
        loop {
            if let Some(end) = self.received.windows(2).position(|two| two == b"\n\n") {
                let rest = self.received.split_off(end + 2);
                let event = String::from_utf8(std::mem::replace(&mut self.received, rest)).unwrap();
                let field = |name: &str| {
                    let mut values = event.lines().filter_map(|line| line.strip_prefix(name));
                    values.next().map(|value| value.trim().to_owned())
                };
                let parsed = field("event:").map(|name| (name, field("data:").unwrap_or_default()));
                // Comments keep the connection open.
                if parsed.is_some() {
                    return parsed;
                }
                continue;
            }
            let chunk =
                timeout(MESSAGE_TIMEOUT, self.response.chunk()).await.expect("the hub sends a chunk in time");
            // A chunk may end in the middle of a character.
            self.received.extend_from_slice(&chunk.unwrap()?);
        }
    }

    /// Waits for the next result and returns its data.
    pub async fn next(&mut self) -> Value {
        let (name, data) = self.event().await.expect("the stream continues");
        assert_eq!(name, "next", "{data}");
        let mut result: Value = serde_json::from_str(&data).unwrap();
        assert!(result["errors"].is_null(), "{result}");
        result["data"].take()
    }

    /// Waits for the first value of this field that matches.
    pub async fn until(&mut self, field: &str, matches: impl Fn(&Value) -> bool) -> Value {
        loop {
            let value = self.next().await[field].take();
            if matches(&value) {
                return value;
            }
        }
    }
}

/// A request for a subscription, without authentication.
pub fn stream_request(hub: &Hub, document: &str) -> RequestBuilder {
    stream_request_to(hub, hub.url(PATH), document)
}

fn stream_request_to(hub: &Hub, url: String, document: &str) -> RequestBuilder {
    hub.http.post(url).timeout(Duration::from_mins(5)).json(&json!({"query": document}))
}
