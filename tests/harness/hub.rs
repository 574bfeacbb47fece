//! A complete hub with its own port, its own database and a fixed clock.

use std::net::{Ipv4Addr, SocketAddr};

use backend::app::App;
use backend::auth::api_token::create_api_token;
use backend::auth::player_token::{LifetimeMinutes, PlayerToken};
use backend::auth::session::{self, Client};
use backend::clock::Clock;
use backend::config::Config;
use backend::db::Connection;
use backend::http;
use backend::models::user::{NewUser, User};
use chrono::{DateTime, Utc};
use diesel_async::pooled_connection::deadpool::Object;
use domain::access::{Role, TokenScope};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::academy::Academy;
use super::database::TestDatabase;
use super::request::GraphqlRequest;

/// The key that signs tokens and links in tests.
pub const APP_KEY: &str = "the application key of the tests";

/// The time of a hub's clock at the start of a test.
pub const NOW: DateTime<Utc> =
    DateTime::from_timestamp(1_800_000_000, 0).expect("the timestamp is within range");

/// A running hub.
pub struct Hub {
    pub database: TestDatabase,
    pub clock: Clock,
    pub app: App,
    pub http: reqwest::Client,
    pub academy: Academy,
    address: SocketAddr,
    server: JoinHandle<()>,
}

/// A signed-in user.
pub struct TestUser {
    pub id: i64,
    pub token: String,
}

impl Hub {
    /// Starts a hub with the default settings.
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// Starts a hub with some settings changed.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::on(TestDatabase::new().await, change).await
    }

    /// Starts a hub with this database and some settings changed.
    pub async fn on(database: TestDatabase, change: impl FnOnce(&mut Config)) -> Self {
        Self::at(Clock::fixed(NOW), database, change).await
    }

    /// Starts a hub with this clock, this database and some settings changed.
    pub async fn at(clock: Clock, database: TestDatabase, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::for_database(database.url.expose_secret(), APP_KEY);
        change(&mut config);
        let app = App::new(config, database.pool.clone(), clock.clone()).expect("the settings are valid");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
        let address = listener.local_addr().expect("the listener is bound");
        let routes = http::router(app.clone()).into_make_service_with_connect_info::<SocketAddr>();
        let server = tokio::spawn(async { axum::serve(listener, routes).await.expect("the server runs") });
        let academy = Academy::new(database.client().await);
        Self { database, clock, app, http: client(), academy, address, server }
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// An anonymous GraphQL request.
    pub fn graphql(&self, query: &str) -> GraphqlRequest {
        GraphqlRequest::new(self.http.post(self.url("/graphql")), query)
    }

    /// Creates a signed-in user with the role's name as its name.
    pub async fn user(&self, role: Role) -> TestUser {
        self.user_named(role.key(), role).await
    }

    /// Creates a signed-in user.
    pub async fn user_named(&self, name: &str, role: Role) -> TestUser {
        let mut conn = self.conn().await;
        let email = format!("{name}@example.com");
        let new =
            NewUser { name, email: &email, role: role.key(), manage_settings: None, password_hash: "none" };
        let user: User = new.insert(&mut conn).await.expect("the user is new");
        TestUser { id: user.id, token: self.sign_in(user.id).await }
    }

    /// Signs a user in, and returns the access token.
    pub async fn sign_in(&self, user_id: i64) -> String {
        let mut conn = self.conn().await;
        let client = Client { address: None, user_agent: None };
        let signed_in = session::start(&mut conn, &self.app.auth.keys, user_id, client, self.clock.now())
            .await
            .expect("the user is active");
        signed_in.access_token.expose_secret().to_owned()
    }

    /// Creates an API token for a user.
    pub async fn api_token(&self, user_id: i64, scopes: &[TokenScope]) -> String {
        let mut conn = self.conn().await;
        let owner = User::find_active(&mut conn, user_id).await.unwrap().expect("the user is active");
        let (token, _) = create_api_token(&mut conn, &owner, "test", scopes, None, self.clock.now())
            .await
            .expect("the owner may grant the scopes");
        token.expose_secret().to_owned()
    }

    /// Issues a player token, which records events of a user.
    pub fn player_token(&self, user_id: i64) -> String {
        let minutes = LifetimeMinutes::new(60).expect("an hour is within the limit");
        let (token, _) = PlayerToken { user_id }
            .issue(&self.app.auth.keys, self.clock.now(), minutes)
            .expect("the token can be signed");
        token.expose_secret().to_owned()
    }

    /// Runs a query in the hub's database, and returns its rows as JSON.
    pub async fn rows(&self, select: &str) -> Value {
        let statement = format!("SELECT coalesce(json_agg(row), '[]')::text FROM ({select}) AS row");
        let row = self.database.client().await.query_one(&statement, &[]).await.expect("the query is valid");
        serde_json::from_str(row.get(0)).expect("PostgreSQL writes JSON")
    }

    /// Runs a statement in the hub's database.
    pub async fn sql(&self, statement: &str) {
        self.database.client().await.batch_execute(statement).await.expect("the statement is valid");
    }

    async fn conn(&self) -> Object<Connection> {
        self.database.pool.get().await.expect("the database is available")
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn client() -> reqwest::Client {
    // Fails if another test has already installed it.
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::builder().no_proxy().build().expect("a client can be built")
}
