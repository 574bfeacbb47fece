//! While the database is away: every way into the hub says so and when to come back, and the log says it once.

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
        Self::start_with(hub, hub.database.address_behind(proxy), 16).await
    }

    async fn start_with(hub: &Hub, database_url: SecretString, connections: usize) -> Self {
        let log = NamedTempFile::new().unwrap();
        let out = NamedTempFile::new().unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_dataporter"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env_clear()
            .env("DATABASE_URL", database_url.expose_secret())
            .env("DATABASE_POOL_SIZE", connections.to_string())
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

    fn times_away(&self) -> usize {
        self.lines("The database cannot be used").len()
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

/// The code of a problem document or of the first error of GraphQL.
fn code(body: &Value) -> Option<&str> {
    body["code"].as_str().or(body["errors"][0]["extensions"]["code"].as_str())
}

async fn send(request: RequestBuilder) -> Response {
    request.send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_in_says_that_the_database_is_away_and_the_log_says_it_once() {
    while_away(|proxy| proxy.cut(Newcomers::TurnedAway)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_in_says_that_the_database_has_fallen_silent_and_the_log_says_it_once() {
    while_away(|proxy| proxy.silence(Newcomers::Silenced)).await;
}

async fn while_away(take_away: fn(&Proxy)) {
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
    take_away(&proxy);
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
        let answers = join_all(requests.map(async |(what, request)| (what, send(request).await))).await;
        for (what, answer) in answers {
            let (status, retry) = (answer.status(), answer.headers().get("retry-after").cloned());
            let body: Value = answer.json().await.unwrap();
            assert_eq!(
                (status.as_u16(), code(&body), retry.as_ref().map(HeaderValue::as_bytes)),
                (503, Some("UNAVAILABLE"), Some(b"5".as_slice())),
                "{what} in round {round}: {body}"
            );
        }
    }
    assert_eq!(send(server.get("/healthz")).await.status(), 200);
    assert_eq!(server.times_away(), 1, "{:#?}", server.lines("ERROR"));
    assert_eq!(complaints().len(), before + 1, "{:#?}", complaints());

    proxy.take(Newcomers::Served);
    let began = Instant::now();
    while send(server.graphql(COURSES).bearer_auth(&token)).await.status() != 200 {
        assert!(began.elapsed() < BOUND, "it does not recover");
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(server.lines("The database can be used again").len(), 1, "{:#?}", server.lines("INFO"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_behind_others_for_a_database_that_is_away_is_told_so_and_not_that_the_hub_is_busy() {
    let (hub, proxy) = (Hub::start().await, Proxy::start().await);
    let token = hub.user(Role::Admin).await.token;
    // As with the default, silence is noticed only after those who wait for a connection have waited long enough.
    let address = hub.database.address_behind(&proxy);
    let address = address.expose_secret().replace("connect_timeout=1", "connect_timeout=5");
    let server = Server::start_with(&hub, address.into(), 2).await;
    let warm = || async { send(server.graphql(COURSES).bearer_auth(&token)).await.status() };
    assert_eq!(join_all((0..4).map(|_| warm())).await, [200; 4]);
    proxy.silence(Newcomers::Silenced);
    let requests = (0..32).map(|_| async {
        let answer = send(server.graphql(COURSES).bearer_auth(&token)).await;
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.unwrap();
        (status, code(&body).map(str::to_owned))
    });
    for answer in join_all(requests).await {
        assert_eq!(answer, (503, Some("UNAVAILABLE".to_owned())));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_takes_no_changes_is_one_spell_until_it_takes_them_again() {
    let (hub, proxy) = (Hub::start().await, Proxy::start().await);
    let token = hub.user(Role::Admin).await.token;
    let service = hub.user(Role::Service).await;
    let recorder = hub.api_token(service.id, &[TokenScope::Record]).await;
    let server = Server::start(&hub, &proxy).await;
    let default = |what: &str| {
        let change = format!("ALTER DATABASE %I {what}");
        format!("DO $$ BEGIN EXECUTE format('{change}', current_database()); END $$")
    };
    let administrator = hub.database.client().await;
    let is_ready = async || send(server.get("/readyz")).await.status() == 200;
    assert!(is_ready().await);
    administrator.batch_execute(&default("SET default_transaction_read_only = on")).await.unwrap();
    // Connections from before still take changes, and new ones do not.
    let began = Instant::now();
    while is_ready().await {
        assert!(began.elapsed() < BOUND, "it does not notice");
        sleep(Duration::from_millis(250)).await;
    }
    for _ in 0..2 {
        // Until it is tried again.
        sleep(Duration::from_millis(5500)).await;
        assert_eq!(send(server.graphql(COURSES).bearer_auth(&token)).await.status(), 200);
        assert!(!is_ready().await);
    }
    assert_eq!(server.times_away(), 1, "{:#?}", server.lines("database"));
    proxy.cut(Newcomers::Served);
    let is_refused = async || send(server.graphql(EVENTS).bearer_auth(&recorder)).await.status() == 503;
    assert!(is_refused().await);
    let times = server.times_away();
    for round in 0..3 {
        // Long enough that connections are asked before they are used again.
        sleep(Duration::from_millis(1100)).await;
        assert!(is_refused().await, "{round}");
        assert_eq!(send(server.graphql(COURSES).bearer_auth(&token)).await.status(), 200, "{round}");
        assert!(!is_ready().await, "{round}");
        assert_eq!(server.times_away(), times, "{:#?}", server.lines("database"));
    }
    administrator.batch_execute(&default("RESET default_transaction_read_only")).await.unwrap();
    let began = Instant::now();
    while is_refused().await {
        assert!(began.elapsed() < BOUND, "it does not recover");
        sleep(Duration::from_millis(50)).await;
    }
    // A session from before may have refused a last change, which a later one makes up for.
    while server.lines("The database can be used again").len() < server.times_away() {
        assert!(began.elapsed() < BOUND, "{:#?}", server.lines("database"));
        sleep(Duration::from_millis(1100)).await;
        assert_eq!(send(server.graphql(COURSES).bearer_auth(&token)).await.status(), 200);
        assert!(is_ready().await && !is_refused().await);
    }
    assert!(server.times_away() <= 2, "{:#?}", server.lines("database"));
}
