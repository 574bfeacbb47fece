//! Requests links and downloads files, as an API client does.

use domain::access::Role;
use reqwest::Response;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::harness::hub::{Hub, TestUser};

/// The endpoint that creates links.
pub const LINKS_PATH: &str = "/admin/data-porter/export-links";

/// A number of rows that exceeds the buffers between a hub and a stalled reader.
pub const MANY_ROWS: usize = 20_000;

/// Inserts [`MANY_ROWS`] player events.
const INSERT_MANY_EVENTS: &str = r"
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
    /// Starts a hub without rows.
    pub async fn new() -> Self {
        Self::on(Hub::start().await).await
    }

    /// Uses this hub.
    pub async fn on(hub: Hub) -> Self {
        let admin = hub.user(Role::Admin).await;
        Self { hub, admin }
    }

    /// Starts a hub with a few rows in every dataset.
    pub async fn with_sample_rows() -> Self {
        let exporter = Self::new().await;
        exporter.hub.sql(include_str!("academy.sql")).await;
        exporter
    }

    /// Starts a hub with [`MANY_ROWS`] player events.
    pub async fn with_many_events() -> Self {
        Self::with_many_events_on(Hub::start().await).await
    }

    /// Uses this hub, with [`MANY_ROWS`] player events.
    pub async fn with_many_events_on(hub: Hub) -> Self {
        let exporter = Self::on(hub).await;
        exporter.hub.sql(INSERT_MANY_EVENTS).await;
        exporter
    }

    /// Requests a link with this token.
    pub async fn request_link(&self, token: &str, request: &Value) -> Response {
        let post = self.hub.http.post(self.hub.url(LINKS_PATH)).header("accept-language", "en");
        post.bearer_auth(token).json(request).send().await.unwrap()
    }

    /// Requests a link that must be created, and returns the response's body.
    pub async fn create_link(&self, token: &str, request: &Value) -> Value {
        let response = self.request_link(token, request).await;
        let status = response.status();
        let body: Value = response.json().await.unwrap();
        assert_eq!(status, 201, "{body}");
        body
    }

    /// Creates a link as the admin, and returns its path.
    pub async fn link_path(&self, request: &Value) -> String {
        self.create_link(&self.admin.token, request).await["url"].as_str().unwrap().to_owned()
    }

    /// Follows a link without credentials.
    pub async fn follow(&self, link: &str) -> Response {
        self.hub.http.get(self.hub.url(link)).header("accept-language", "en").send().await.unwrap()
    }

    /// Creates a link as the admin, and downloads its file.
    pub async fn download(&self, request: &Value) -> String {
        let response = self.follow(&self.link_path(request).await).await;
        assert_eq!(response.status(), 200);
        response.text().await.unwrap()
    }

    /// Requests a file over a raw connection, and leaves the response unread.
    pub async fn open_raw(&self, link: &str) -> TcpStream {
        let host = self.hub.url("").replace("http://", "");
        let mut stream = TcpStream::connect(&host).await.unwrap();
        let request = format!("GET {link} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    /// Runs a query that returns one number.
    pub async fn count(&self, query: &str) -> i64 {
        self.hub.database.client().await.query_one(query, &[]).await.unwrap().get(0)
    }

    /// Waits until a query returns this number. Panics after ten seconds.
    pub async fn wait_for_count(&self, number: i64, query: &str) {
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
        panic!("expected {number}, found {found:?}: {query}");
    }
}
