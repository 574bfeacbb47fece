//! A client on a plain socket, which sees details that an HTTP library hides.

use std::io;
use std::net::SocketAddr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use stand_ins::config::{API_SECRET, MEASUREMENT_ID, PROJECT_TOKEN};
use stand_ins::{ClockSetting, StandIns};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The time of the stand-ins' clock in all tests.
pub const NOW: &str = "2026-03-10T12:00:00Z";

/// Starts stand-ins with a stopped clock.
pub async fn stand_ins() -> StandIns {
    let stand_ins = StandIns::start().await.unwrap();
    stand_ins.set_clock(ClockSetting::Fixed(NOW.parse().unwrap()));
    stand_ins
}

/// A complete response.
#[derive(Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Response {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

pub struct Client(TcpStream);

impl Client {
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        TcpStream::connect(address).await.map(Self)
    }

    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes).await
    }

    /// Reads one response. Fails if the connection ends before the response does.
    pub async fn read_response(&mut self) -> io::Result<Response> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await?);
        }
        let head = String::from_utf8(head).unwrap();
        let status = head[9..12].parse().unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
        let mut body = vec![0; length.parse().unwrap()];
        self.0.read_exact(&mut body).await?;
        Ok(Response { status, head, body: String::from_utf8(body).unwrap() })
    }

    pub async fn send_request(&mut self, request: &[u8]) -> io::Result<Response> {
        self.send(request).await?;
        self.read_response().await
    }

    /// Reads until the end of the connection. The result says whether it was closed in an orderly way.
    pub async fn read_to_end(&mut self) -> (String, io::Result<()>) {
        let mut bytes = Vec::new();
        let end = self.0.read_to_end(&mut bytes).await.map(drop);
        (String::from_utf8(bytes).unwrap(), end)
    }
}

/// Sends one request on a new connection.
pub async fn send_request(address: SocketAddr, request: &[u8]) -> io::Result<Response> {
    Client::connect(address).await?.send_request(request).await
}

pub fn request(method: &str, target: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let request_line = format!("{method} {target} HTTP/1.1");
    let length = format!("Content-Length: {}", body.len());
    let head =
        [&[request_line.as_str(), "Host: stand-in"], headers, &[&length, "", ""]].concat().join("\r\n");
    [head.as_bytes(), body].concat()
}

/// A valid request to GA4 with this event.
pub fn collect(uid: &str) -> Vec<u8> {
    let params = json!({"session_id": 1_770_000_000, "engagement_time_msec": 1, "event_uid": uid});
    let body = json!({"client_id": "42.1", "events": [{"name": "player_play", "params": params}]});
    let target = format!("/mp/collect?measurement_id={MEASUREMENT_ID}&api_secret={API_SECRET}");
    request("POST", &target, &["Content-Type: application/json"], body.to_string().as_bytes())
}

/// A valid event for Mixpanel.
pub fn event(uid: &str) -> Value {
    let time = NOW.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_millis();
    let properties =
        json!({"time": time, "distinct_id": "42", "$insert_id": format!("id-{uid}"), "event_uid": uid});
    json!({"event": "play", "properties": properties})
}

/// A request to `/import` with these events.
pub fn import(events: &[Value]) -> Vec<u8> {
    let authorization = format!("Authorization: {}", basic(&format!("{PROJECT_TOKEN}:")));
    request("POST", "/import?strict=1", &[&authorization], json!(events).to_string().as_bytes())
}

pub fn basic(credentials: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(credentials))
}
