//! A server in its own process, which a stack overflow would end and whose memory can be measured.

use std::fs;
use std::process::Stdio;

use backend::clock::Clock;
use domain::access::Role;
use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::multipart::{Form, Part};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::harness::database::TestDatabase;
use crate::harness::hub::{APP_KEY, Hub};
use crate::harness::request::{ApiResponse, GraphqlRequest};

/// A running server and the token of an admin.
pub struct Server {
    child: Child,
    address: String,
    pub admin: String,
    /// The hub that created the admin. It gets no requests.
    hub: Hub,
}

impl Server {
    pub async fn start() -> Self {
        let hub = Hub::at(Clock::system(), TestDatabase::new().await, |_| {}).await;
        let admin = hub.user(Role::Admin).await.token;
        let mut child = Command::new(env!("CARGO_BIN_EXE_dataporter"))
            .args(["serve", "--listen", "127.0.0.1:0", "--no-scheduler"])
            .env_clear()
            .current_dir(std::env::temp_dir())
            .env("DATABASE_URL", hub.database.url.expose_secret())
            .env("APP_KEY", APP_KEY)
            .env("APP_LOCALE", "en")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).await.unwrap();
        let address = ready.split_whitespace().find(|word| word.starts_with("http://"));
        let address = address.unwrap_or_else(|| panic!("{ready}")).trim_end_matches('/').to_owned();
        Self { child, address, admin, hub }
    }

    /// An anonymous GraphQL request by POST.
    pub fn post(&self, document: &str) -> GraphqlRequest {
        GraphqlRequest::new(self.hub.http.post(self.url("/graphql")), document)
    }

    /// Sends a JSON body by POST, and returns the response.
    pub async fn post_json(&self, request: &str) -> Value {
        let post = self.hub.http.post(self.url("/graphql")).header("content-type", "application/json");
        ApiResponse::of(post.body(request.to_owned())).await.body
    }

    /// Sends an anonymous request by GET, and returns the response.
    pub async fn get(&self, document: &str, variables: &str) -> Value {
        // Brackets are not percent-encoded, so that many of them fit into a URL.
        let [document, variables] = [document, variables].map(|text| text.replace(' ', "+"));
        let address = self.url(&format!("/graphql?variables={variables}&query={document}"));
        ApiResponse::of(self.hub.http.get(address)).await.body
    }

    /// Sends the operations of a file upload as the admin, and returns the response.
    pub async fn upload(&self, request: &str) -> Value {
        let form = Form::new()
            .text("operations", request.to_owned())
            .text("map", json!({"0": ["variables.file"]}).to_string())
            .part("0", Part::text("id\n").file_name("rows.csv"));
        let post = self.hub.http.post(self.url("/graphql")).bearer_auth(&self.admin).multipart(form);
        ApiResponse::of(post.header("graphql-require-preflight", "1")).await.body
    }

    /// Subscribes over server-sent events, and returns the first response or the error.
    pub async fn stream(&self, request: &str) -> Value {
        let post = self.hub.http.post(self.url("/graphql/stream")).bearer_auth(&self.admin);
        let post = post.header("content-type", "application/json").body(request.to_owned());
        let text = post.send().await.expect("the hub responds").text().await.unwrap();
        let first = text.lines().find_map(|line| line.strip_prefix("data:")).unwrap_or(&text);
        serde_json::from_str(first).unwrap()
    }

    /// Subscribes over a WebSocket. Returns the first response, or `None` if the hub closes the connection.
    pub async fn socket(&self, request: &str) -> Option<Value> {
        let mut upgrade = self.url("/graphql/ws").replace("http", "ws").into_client_request().unwrap();
        upgrade.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
        let (mut socket, _) = connect_async(upgrade).await.expect("the hub responds");
        let token = json!({"authorization": format!("Bearer {}", self.admin)});
        for message in [
            format!(r#"{{"type": "connection_init", "payload": {token}}}"#),
            format!(r#"{{"type": "subscribe", "id": "a", "payload": {request}}}"#),
        ] {
            socket.send(Message::text(message)).await.unwrap();
        }
        loop {
            match socket.next().await.expect("the hub responds").unwrap() {
                Message::Text(text) => {
                    let mut message: Value = serde_json::from_str(&text).unwrap();
                    if message["type"] == "next" {
                        return Some(message["payload"].take());
                    }
                }
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }

    /// Checks that the server still works and that its process has not been restarted.
    pub async fn assert_alive(&mut self) {
        self.post("{ viewer { id } }").by(&self.admin).data().await;
        assert!(self.child.try_wait().unwrap().is_none());
    }

    /// The current memory usage and the peak since the last call, in bytes.
    pub fn memory(&self) -> (u64, u64) {
        let id = self.child.id().unwrap();
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
        };
        let found = (field("VmRSS:"), field("VmHWM:"));
        // Resets the peak; see proc(5).
        fs::write(format!("/proc/{id}/clear_refs"), "5").unwrap();
        found
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }
}
