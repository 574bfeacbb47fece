//! A client of server-sent events.

use std::time::Duration;

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::PATIENCE;
use crate::harness::hub::Hub;

const PATH: &str = "/graphql/stream";

/// A subscription that goes on.
pub struct Events {
    response: Response,
    received: Vec<u8>,
}

impl Events {
    /// A subscription that is granted.
    pub async fn of(hub: &Hub, token: &str, document: &str) -> Self {
        Self::begin(ask(hub, document), token).await
    }

    /// The same from the real server at this address.
    pub async fn from_server(hub: &Hub, address: &str, token: &str, document: &str) -> Self {
        Self::begin(ask_at(hub, format!("{address}{PATH}"), document), token).await
    }

    async fn begin(request: RequestBuilder, token: &str) -> Self {
        let response = request.bearer_auth(token).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, received: Vec::new() }
    }

    /// The name and the content of the next event; none when the stream is at its end.
    pub async fn event(&mut self) -> Option<(String, String)> {
        loop {
            if let Some(end) = self.received.windows(2).position(|two| two == b"\n\n") {
                let rest = self.received.split_off(end + 2);
                let event = String::from_utf8(std::mem::replace(&mut self.received, rest)).unwrap();
                let field = |name: &str| {
                    let mut values = event.lines().filter_map(|line| line.strip_prefix(name));
                    values.next().map(|value| value.trim().to_owned())
                };
                let found = field("event:").map(|name| (name, field("data:").unwrap_or_default()));
                // Comments keep the connection open.
                if found.is_some() {
                    return found;
                }
                continue;
            }
            let piece =
                timeout(PATIENCE, self.response.chunk()).await.expect("the hub says something in time");
            // A piece may end in the middle of a character.
            self.received.extend_from_slice(&piece.unwrap()?);
        }
    }

    /// The data of the next answer.
    pub async fn next(&mut self) -> Value {
        let (name, told) = self.event().await.expect("it goes on");
        assert_eq!(name, "next", "{told}");
        let mut answer: Value = serde_json::from_str(&told).unwrap();
        assert!(answer["errors"].is_null(), "{answer}");
        answer["data"].take()
    }

    /// The first status that is as wanted.
    pub async fn until(&mut self, is_wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let status = self.next().await["syncStatus"].take();
            if is_wanted(&status) {
                return status;
            }
        }
    }
}

/// A request for a subscription, from nobody yet.
pub fn ask(hub: &Hub, document: &str) -> RequestBuilder {
    ask_at(hub, hub.url(PATH), document)
}

fn ask_at(hub: &Hub, url: String, document: &str) -> RequestBuilder {
    hub.http.post(url).timeout(Duration::from_mins(5)).json(&json!({"query": document}))
}
