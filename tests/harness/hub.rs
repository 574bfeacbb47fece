//! A whole hub on a port of its own, with a database of its own and a clock that stands still.

use std::net::{Ipv4Addr, SocketAddr};

use backend::app::App;
use backend::auth::session::{self, Client};
use backend::clock::Clock;
use backend::config::Config;
use backend::http;
use backend::models::user::{NewUser, User};
use chrono::{DateTime, Utc};
use domain::access::Role;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::database::TestDatabase;

/// What signs the tokens and links of the tests.
pub const APP_KEY: &str = "the application key of the tests";

/// The time at which every hub starts.
pub const NOW: DateTime<Utc> = DateTime::from_timestamp(1_800_000_000, 0).expect("a time within range");

/// A running hub.
pub struct Hub {
    pub database: TestDatabase,
    pub clock: Clock,
    pub app: App,
    pub http: reqwest::Client,
    address: SocketAddr,
    server: JoinHandle<()>,
}

/// Somebody who is signed in.
pub struct TestUser {
    pub id: i64,
    /// Their access token.
    pub token: String,
}

/// An answer of the GraphQL endpoint.
pub struct Answer {
    pub body: Value,
    /// What `Set-Cookie` says, if anything.
    pub cookie: Option<String>,
}

/// A GraphQL request to be sent.
pub struct Ask {
    request: reqwest::RequestBuilder,
    body: Value,
}

impl Hub {
    /// A hub with the default settings.
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// A hub with some settings changed.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let database = TestDatabase::new().await;
        let mut config = Config::for_database(database.url.expose_secret(), APP_KEY);
        change(&mut config);
        let clock = Clock::fixed(NOW);
        let app = App::new(config, database.pool.clone(), clock.clone()).expect("the settings are good");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let routes = http::router(app.clone()).into_make_service_with_connect_info::<SocketAddr>();
        let server = tokio::spawn(async { axum::serve(listener, routes).await.expect("it serves") });
        Self { database, clock, app, http: client(), address, server }
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A GraphQL request, from nobody yet.
    pub fn graphql(&self, query: &str) -> Ask {
        let request = self.http.post(self.url("/graphql"));
        Ask { request, body: json!({ "query": query }) }
    }

    /// A new user, named for their role, signed in.
    pub async fn user(&self, role: Role) -> TestUser {
        self.user_named(role.key(), role).await
    }

    /// A new user, signed in.
    pub async fn user_named(&self, name: &str, role: Role) -> TestUser {
        let mut conn = self.database.pool.get().await.expect("the database is there");
        let email = format!("{name}@example.com");
        let new =
            NewUser { name, email: &email, role: role.key(), manage_settings: None, password_hash: "none" };
        let user: User = new.insert(&mut conn).await.expect("the user is new");
        let client = Client { address: None, user_agent: None };
        let signed_in = session::start(&mut conn, &self.app.auth.keys, user.id, client, self.clock.now())
            .await
            .expect("the user is active");
        TestUser { id: user.id, token: signed_in.access_token.expose_secret().to_owned() }
    }

    /// Runs a statement in the hub's database.
    pub async fn sql(&self, statement: &str) {
        self.database.client().await.batch_execute(statement).await.expect("the statement is right");
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Ask {
    /// Who asks.
    pub fn by(mut self, token: &str) -> Self {
        self.request = self.request.bearer_auth(token);
        self
    }

    /// The variables of the query.
    pub fn variables(mut self, variables: Value) -> Self {
        self.body["variables"] = variables;
        self
    }

    /// A header beside the usual ones.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// Sends it, and reads the answer, which is JSON whatever it says.
    pub async fn send(self) -> Answer {
        let response = self.request.json(&self.body).send().await.expect("the hub answers");
        let cookie =
            response.headers().get("set-cookie").map(|value| value.to_str().expect("ASCII").to_owned());
        Answer { body: response.json().await.expect("the answer is JSON"), cookie }
    }

    /// The data of the answer, which must hold no error.
    pub async fn data(self) -> Value {
        let Answer { mut body, .. } = self.send().await;
        assert!(body["errors"].is_null(), "{body}");
        body["data"].take()
    }

    /// The code of the first error, which there must be.
    pub async fn code(self) -> String {
        self.send().await.code()
    }
}

impl Answer {
    /// The code of the first error, which there must be.
    pub fn code(&self) -> String {
        let code = self.body["errors"][0]["extensions"]["code"].as_str();
        code.unwrap_or_else(|| panic!("{}", self.body)).to_owned()
    }
}

fn client() -> reqwest::Client {
    // Fails when another test was faster, with the same provider.
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::builder().build().expect("a client can be made")
}
