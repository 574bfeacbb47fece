//! While the database is away: every way into the hub says so and when to come back, and the log says it once.

use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use domain::access::{Role, TokenScope};
use reqwest::header::HeaderValue;
use reqwest::{RequestBuilder, Response};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tokio::time::sleep;

use crate::harness::hub::{APP_KEY, Hub};
use crate::harness::proxy::{Newcomers, Proxy};

const COURSES: &str = "{ courses { id } }";
const LOGIN: &str =
    r#"mutation { login(email: "nobody@example.org", password: "a long password") { accessToken } }"#;
const EVENTS: &str = r#"mutation { recordPlayerEvents(events: [{clientEventId: "5b0c6f0e-6ce6-4f53-9f0b-4f3f8f0e7a11",
    event: "play", lessonId: "1"}]) { eventId } }"#;
const BOUND: Duration = Duration::from_secs(20);

/// A real server behind a proxy, since a process has one log.
struct Server {
    process: Child,
    address: String,
    log: NamedTempFile,
    http: reqwest::Client,
}

impl Server {
    async fn start(hub: &Hub, proxy: &Proxy) -> Self {
        let log = NamedTempFile::new().unwrap();
        let out = NamedTempFile::new().unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_dataporter"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env_clear()
            .env("DATABASE_URL", hub.database.address_behind(proxy).expose_secret())
            .env("APP_KEY", APP_KEY)
            .current_dir(std::env::temp_dir())
            .stdout(File::create(out.path()).unwrap())
            .stderr(File::create(log.path()).unwrap())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let began = Instant::now();
        let address = loop {
            let ready = std::fs::read_to_string(out.path()).unwrap();
            if let Some(address) = ready.split_whitespace().find(|word| word.starts_with("http://")) {
                break address.trim_end_matches('/').to_owned();
            }
            assert!(began.elapsed() < BOUND, "it is not ready");
            sleep(Duration::from_millis(20)).await;
        };
        Self { process, address, log, http: hub.http.clone() }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.address))
    }

    fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.address)).header("accept-language", "en").json(body)
    }

    fn graphql(&self, query: &str) -> RequestBuilder {
        self.post("/graphql", &json!({ "query": query }))
    }

    /// The lines of the log with these words.
    fn lines(&self, words: &str) -> Vec<String> {
        let log = std::fs::read_to_string(self.log.path()).unwrap();
        log.lines().filter(|line| line.contains(words)).map(str::to_owned).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

async fn send(request: RequestBuilder) -> Response {
    request.send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_in_says_that_the_database_is_away_and_the_log_says_it_once() {
    let (hub, proxy) = (Hub::start().await, Proxy::start().await);
    let admin = hub.user(Role::Admin).await;
    let scopes = [TokenScope::Read, TokenScope::Export];
    let token = hub.api_token(admin.id, &scopes).await;
    let service = hub.user(Role::Service).await;
    let recorder = hub.api_token(service.id, &[TokenScope::Record]).await;
    let server = Server::start(&hub, &proxy).await;
    let link = json!({"dataset": "discord_practices", "format": "csv"});
    let made = send(server.post("/admin/data-porter/export-links", &link).bearer_auth(&token)).await;
    let made: Value = made.json().await.unwrap();
    let path = made["url"].as_str().unwrap_or_else(|| panic!("{made}"));
    let path = path.strip_prefix(&server.address).unwrap_or(path);
    let courses: Value = send(server.graphql(COURSES).bearer_auth(&token)).await.json().await.unwrap();
    assert!(courses["data"]["courses"].is_array(), "{courses}");

    let complaints = || [server.lines("ERROR"), server.lines("WARN")].concat();
    let before = complaints().len();
    proxy.cut(Newcomers::TurnedAway);
    let progress = json!({"lessonId": "1", "userId": "1", "source": "VIMEO", "lastSecond": 3});
    for round in 0..3 {
        let requests = [
            ("a query", server.graphql(COURSES).bearer_auth(&token)),
            ("signing in", server.graphql(LOGIN)),
            ("a mutation", server.graphql(EVENTS).bearer_auth(&recorder)),
            ("a link", server.post("/admin/data-porter/export-links", &link).bearer_auth(&token)),
            ("an export", server.get(path)),
            ("progress", server.post("/api/video/progress", &progress).bearer_auth(&recorder)),
            ("readiness", server.get("/readyz")),
        ];
        for (what, request) in requests {
            let answer = send(request).await;
            let (status, retry) = (answer.status(), answer.headers().get("retry-after").cloned());
            let body: Value = answer.json().await.unwrap();
            let code = body["code"].as_str().or(body["errors"][0]["extensions"]["code"].as_str());
            assert_eq!(
                (status.as_u16(), code, retry.as_ref().map(HeaderValue::as_bytes)),
                (503, Some("UNAVAILABLE"), Some(b"5".as_slice())),
                "{what} in round {round}: {body}"
            );
        }
    }
    assert_eq!(send(server.get("/healthz")).await.status(), 200);
    assert_eq!(server.lines("The database cannot be used").len(), 1, "{:#?}", server.lines("ERROR"));
    assert_eq!(complaints().len(), before + 1, "{:#?}", complaints());

    proxy.take(Newcomers::Served);
    let began = Instant::now();
    while send(server.graphql(COURSES).bearer_auth(&token)).await.status() != 200 {
        assert!(began.elapsed() < BOUND, "it does not recover");
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(server.lines("The database can be used again").len(), 1, "{:#?}", server.lines("INFO"));
}
