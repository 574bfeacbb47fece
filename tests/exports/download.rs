//! Asking for links and files, as an integrator does.

use domain::access::Role;
use reqwest::Response;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::harness::hub::{Hub, TestUser};

/// Where links are made.
pub const LINKS: &str = "/admin/data-porter/export-links";

/// Many rows: more than the buffers between a hub and a reader who does not read can hold.
pub const MANY_ROWS: usize = 20_000;

const MANY: &str = r"
    SELECT ensure_player_event_partitions('2026-11-01', '2026-11-30');
    INSERT INTO video_player_events (recorded_at, event, metadata)
    SELECT timestamptz '2026-11-20 00:00Z' + n * interval '1 second', 'play', jsonb_build_object('x', repeat('x', 2000))
    FROM generate_series(1, 20000) AS n";

/// A hub and an admin who exports.
pub struct Exporter {
    pub hub: Hub,
    pub admin: TestUser,
}

impl Exporter {
    /// Of a hub without rows.
    pub async fn new() -> Self {
        Self::on(Hub::start().await).await
    }

    /// Of this hub.
    pub async fn on(hub: Hub) -> Self {
        let admin = hub.user(Role::Admin).await;
        Self { hub, admin }
    }

    /// Of a hub with a few rows in every dataset.
    pub async fn of_an_academy() -> Self {
        let exporter = Self::new().await;
        exporter.hub.sql(include_str!("academy.sql")).await;
        exporter
    }

    /// Of a hub with [`MANY_ROWS`] player events.
    pub async fn of_many_events() -> Self {
        Self::of_many_events_on(Hub::start().await).await
    }

    /// Of this hub, with [`MANY_ROWS`] player events.
    pub async fn of_many_events_on(hub: Hub) -> Self {
        let exporter = Self::on(hub).await;
        exporter.hub.sql(MANY).await;
        exporter
    }

    /// Asks for a link with somebody's token.
    pub async fn ask(&self, token: &str, request: &Value) -> Response {
        let ask = self.hub.http.post(self.hub.url(LINKS)).header("accept-language", "en");
        ask.bearer_auth(token).json(request).send().await.unwrap()
    }

    /// What the hub answers to a good request for a link.
    pub async fn made(&self, token: &str, request: &Value) -> Value {
        let response = self.ask(token, request).await;
        let status = response.status();
        let body: Value = response.json().await.unwrap();
        assert_eq!(status, 201, "{body}");
        body
    }

    /// A link of the admin's, as a path.
    pub async fn link(&self, request: &Value) -> String {
        self.made(&self.admin.token, request).await["url"].as_str().unwrap().to_owned()
    }

    /// Follows a link without any credential.
    pub async fn follow(&self, link: &str) -> Response {
        self.hub.http.get(self.hub.url(link)).header("accept-language", "en").send().await.unwrap()
    }

    /// The whole file.
    pub async fn file(&self, request: &Value) -> String {
        let response = self.follow(&self.link(request).await).await;
        assert_eq!(response.status(), 200);
        response.text().await.unwrap()
    }

    /// Sends the request for a file, and leaves the answer to be read, or not.
    pub async fn raw(&self, link: &str) -> TcpStream {
        let host = self.hub.url("").replace("http://", "");
        let mut stream = TcpStream::connect(&host).await.unwrap();
        let request = format!("GET {link} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    /// A number from the database.
    pub async fn count(&self, query: &str) -> i64 {
        self.hub.database.client().await.query_one(query, &[]).await.unwrap().get(0)
    }

    /// Waits until the database gives this number, for a while.
    pub async fn wait_for(&self, number: i64, query: &str) {
        let client = self.hub.database.client().await;
        let mut found = None;
        for _ in 0..500 {
            let now: i64 = client.query_one(query, &[]).await.unwrap().get(0);
            if now == number {
                return;
            }
            found = Some(now);
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("{query}: {found:?} instead of {number}");
    }
}
