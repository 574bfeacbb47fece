//! During a database outage, every endpoint says when to retry, and the log reports the outage once.

use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use domain::access::{Role, TokenScope};
use futures_util::future::join_all;
use reqwest::header::HeaderValue;
use reqwest::{RequestBuilder, Response};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tokio::time::sleep;

use crate::harness::hub::{APP_KEY, Hub};
use crate::harness::proxy::{NewConnections, Proxy};

const COURSES: &str = "{ courses { id } }";
const LOGIN: &str =
    r#"mutation { login(email: "nobody@example.org", password: "a long password") { accessToken } }"#;
const EVENTS: &str = r#"mutation { recordPlayerEvents(events: [{clientEventId: "5b0c6f0e-6ce6-4f53-9f0b-4f3f8f0e7a11",
    event: "play", lessonId: "1"}]) { eventId } }"#;
const MAX_WAIT: Duration = Duration::from_secs(20);

/// A server in its own process, so that it has its own log, with a proxy before its database.
struct Server {
    process: Child,
    address: String,
    log: NamedTempFile,
    http: reqwest::Client,
}

impl Server {
    async fn start(hub: &Hub, proxy: &Proxy) -> Self {
        Self::start_with(hub, hub.database.url_through(proxy), 16).await
    }

    async fn start_with(hub: &Hub, database_url: SecretString, connections: usize) -> Self {
        let log = NamedTempFile::new().unwrap();
        let stdout_file = NamedTempFile::new().unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_dataporter"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env_clear()
            .env("DATABASE_URL", database_url.expose_secret())
            .env("DATABASE_POOL_SIZE", connections.to_string())
            .env("APP_KEY", APP_KEY)
            .current_dir(std::env::temp_dir())
            .stdout(File::create(stdout_file.path()).unwrap())
            .stderr(File::create(log.path()).unwrap())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let began = Instant::now();
        let address = loop {
            let ready = std::fs::read_to_string(stdout_file.path()).unwrap();
            if let Some(address) = ready.split_whitespace().find(|word| word.starts_with("http://")) {
                break address.trim_end_matches('/').to_owned();
            }
            assert!(began.elapsed() < MAX_WAIT, "the server is not ready");
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

    fn outage_count(&self) -> usize {
        self.lines("The database is unavailable").len()
    }

    /// The lines of the log that contain a text.
    fn lines(&self, text: &str) -> Vec<String> {
        let log = std::fs::read_to_string(self.log.path()).unwrap();
        log.lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// The code of a problem document or of the first GraphQL error.
fn code(body: &Value) -> Option<&str> {
    body["code"].as_str().or(body["errors"][0]["extensions"]["code"].as_str())
}

async fn send(request: RequestBuilder) -> Response {
    request.send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_endpoint_reports_an_unavailable_database() {
    check_outage(|proxy| proxy.cut(NewConnections::Refused)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_endpoint_reports_an_unresponsive_database() {
    check_outage(|proxy| proxy.silence(NewConnections::Silent)).await;
}

async fn check_outage(disrupt: fn(&Proxy)) {
    let (hub, proxy) = (Hub::start().await, Proxy::start().await);
    let admin = hub.user(Role::Admin).await;
    let scopes = [TokenScope::Read, TokenScope::Export];
    let token = hub.api_token(admin.id, &scopes).await;
    let service = hub.user(Role::Service).await;
    let recorder = hub.api_token(service.id, &[TokenScope::Record]).await;
    let server = Server::start(&hub, &proxy).await;
    let link = json!({"dataset": "discord_practices", "format": "csv"});
    let created = send(server.post("/admin/data-porter/export-links", &link).bearer_auth(&token)).await;
    let created: Value = created.json().await.unwrap();
    let path = created["url"].as_str().unwrap_or_else(|| panic!("{created}"));
    let path = path.strip_prefix(&server.address).unwrap_or(path);
    let courses: Value = send(server.graphql(COURSES).bearer_auth(&token)).await.json().await.unwrap();
    assert!(courses["data"]["courses"].is_array(), "{courses}");

    let warnings_and_errors = || [server.lines("ERROR"), server.lines("WARN")].concat();
    let before = warnings_and_errors().len();
    disrupt(&proxy);
    let progress = json!({"lessonId": "1", "userId": "1", "source": "VIMEO", "lastSecond": 3});
    for round in 0..3 {
        let requests = [
            ("a query", server.graphql(COURSES).bearer_auth(&token)),
            ("a sign-in", server.graphql(LOGIN)),
            ("a mutation", server.graphql(EVENTS).bearer_auth(&recorder)),
            ("a link", server.post("/admin/data-porter/export-links", &link).bearer_auth(&token)),
            ("an export", server.get(path)),
            ("progress", server.post("/api/video/progress", &progress).bearer_auth(&recorder)),
            ("readiness", server.get("/readyz")),
        ];
        let responses = join_all(requests.map(async |(name, request)| (name, send(request).await))).await;
        for (name, response) in responses {
            let (status, retry) = (response.status(), response.headers().get("retry-after").cloned());
            let body: Value = response.json().await.unwrap();
            assert_eq!(
                (status.as_u16(), code(&body), retry.as_ref().map(HeaderValue::as_bytes)),
                (503, Some("UNAVAILABLE"), Some(b"5".as_slice())),
                "{name} in round {round}: {body}"
            );
        }
    }
    assert_eq!(send(server.get("/healthz")).await.status(), 200);
    assert_eq!(server.outage_count(), 1, "{:#?}", server.lines("ERROR"));
    assert_eq!(warnings_and_errors().len(), before + 1, "{:#?}", warnings_and_errors());

    proxy.set_new_connections(NewConnections::Forwarded);
    let began = Instant::now();
    while send(server.graphql(COURSES).bearer_auth(&token)).await.status() != 200 {
        assert!(began.elapsed() < MAX_WAIT, "the server does not recover");
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(server.lines("The database is available again").len(), 1, "{:#?}", server.lines("INFO"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queued_requests_report_the_outage_instead_of_a_busy_hub() {
    let (hub, proxy) = (Hub::start().await, Proxy::start().await);
    let token = hub.user(Role::Admin).await.token;
    // As with the default timeouts, waiting for a connection times out before the silence is detected.
    let address = hub.database.url_through(&proxy);
    let address = address.expose_secret().replace("connect_timeout=1", "connect_timeout=5");
    let server = Server::start_with(&hub, address.into(), 2).await;
    let warm_up = || async { send(server.graphql(COURSES).bearer_auth(&token)).await.status() };
    assert_eq!(join_all((0..4).map(|_| warm_up())).await, [200; 4]);
    proxy.silence(NewConnections::Silent);
    let requests = (0..32).map(|_| async {
        let response = send(server.graphql(COURSES).bearer_auth(&token)).await;
        let status = response.status().as_u16();
        let body: Value = response.json().await.unwrap();
        (status, code(&body).map(str::to_owned))
    });
    for response in join_all(requests).await {
        assert_eq!(response, (503, Some("UNAVAILABLE".to_owned())));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_database_is_logged_as_one_outage() {
    let (hub, proxy) = (Hub::start().await, Proxy::start().await);
    let token = hub.user(Role::Admin).await.token;
    let service = hub.user(Role::Service).await;
    let recorder = hub.api_token(service.id, &[TokenScope::Record]).await;
    let server = Server::start(&hub, &proxy).await;
    let alter_default = |action: &str| {
        let change = format!("ALTER DATABASE %I {action}");
        format!("DO $$ BEGIN EXECUTE format('{change}', current_database()); END $$")
    };
    let admin_client = hub.database.client().await;
    let is_ready = async || send(server.get("/readyz")).await.status() == 200;
    assert!(is_ready().await);
    admin_client.batch_execute(&alter_default("SET default_transaction_read_only = on")).await.unwrap();
    // Existing connections stay writable. New connections are read-only.
    let began = Instant::now();
    while is_ready().await {
        assert!(began.elapsed() < MAX_WAIT, "the server does not detect the change");
        sleep(Duration::from_millis(250)).await;
    }
    for _ in 0..2 {
        // Longer than the interval of the readiness check.
        sleep(Duration::from_millis(5500)).await;
        assert_eq!(send(server.graphql(COURSES).bearer_auth(&token)).await.status(), 200);
        assert!(!is_ready().await);
    }
    assert_eq!(server.outage_count(), 1, "{:#?}", server.lines("database"));
    proxy.cut(NewConnections::Forwarded);
    let is_rejected = async || send(server.graphql(EVENTS).bearer_auth(&recorder)).await.status() == 503;
    assert!(is_rejected().await);
    let outages_before = server.outage_count();
    for round in 0..3 {
        // Long enough that connections are checked before they are reused.
        sleep(Duration::from_millis(1100)).await;
        assert!(is_rejected().await, "{round}");
        assert_eq!(send(server.graphql(COURSES).bearer_auth(&token)).await.status(), 200, "{round}");
        assert!(!is_ready().await, "{round}");
        assert_eq!(server.outage_count(), outages_before, "{:#?}", server.lines("database"));
    }
    admin_client.batch_execute(&alter_default("RESET default_transaction_read_only")).await.unwrap();
    let began = Instant::now();
    while is_rejected().await {
        assert!(began.elapsed() < MAX_WAIT, "the server does not recover");
        sleep(Duration::from_millis(50)).await;
    }
    // A connection from before the change may report one more read-only error, and so a second outage.
    while server.lines("The database is available again").len() < server.outage_count() {
        assert!(began.elapsed() < MAX_WAIT, "{:#?}", server.lines("database"));
        sleep(Duration::from_millis(1100)).await;
        assert_eq!(send(server.graphql(COURSES).bearer_auth(&token)).await.status(), 200);
        assert!(is_ready().await && !is_rejected().await);
    }
    assert!(server.outage_count() <= 2, "{:#?}", server.lines("database"));
}
