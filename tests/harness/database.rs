//! A database per test: cloned from a migrated template, dropped with the test.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use backend::db::{self, Pool};
use diesel_async::SimpleAsyncConnection as _;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::OnceCell;

use super::cluster::cluster;
use super::proxy::Proxy;

const TEMPLATE: &str = "template_of_tests";

/// The connections of a test's hub.
const CONNECTIONS: usize = 8;

/// A database that nobody else uses.
pub struct TestDatabase {
    pub url: SecretString,
    pub pool: Pool,
    /// Nobody's but the first owner's, with whom it goes.
    name: Option<String>,
}

impl TestDatabase {
    /// A database with every migration applied and no rows.
    pub async fn new() -> Self {
        static MIGRATED: OnceCell<()> = OnceCell::const_new();
        MIGRATED
            .get_or_init(|| async {
                administer(&format!("DROP DATABASE IF EXISTS {TEMPLATE}")).await;
                administer(&format!("CREATE DATABASE {TEMPLATE}")).await;
                db::migrate(&cluster().url(TEMPLATE))
                    .await
                    .expect("the migrations apply to an empty database");
            })
            .await;
        // The files are copied, since writing each page through the log takes three times as long.
        Self::create(&format!("TEMPLATE {TEMPLATE} STRATEGY file_copy")).await
    }

    /// The database at this address, with every migration applied.
    pub async fn at(url: SecretString) -> Self {
        db::migrate(&url).await.expect("the migrations apply to an empty database");
        Self { pool: db::pool(&url, CONNECTIONS, db::POOL_PATIENCE), url, name: None }
    }

    /// A database without any table.
    pub async fn empty() -> Self {
        Self::create("").await
    }

    /// The same database, by a pool that nobody waits for.
    pub fn without_patience(mut self) -> Self {
        self.pool = db::pool(&self.url, CONNECTIONS, Duration::from_millis(1));
        self
    }

    /// The same database, by a pool that reaches it through a proxy; a second without a word is silence.
    pub fn behind(mut self, proxy: &Proxy) -> Self {
        self.pool = db::pool(&self.address_behind(proxy), CONNECTIONS, db::POOL_PATIENCE);
        self
    }

    /// Its address through a proxy; a second without a word is silence.
    pub fn address_behind(&self, proxy: &Proxy) -> SecretString {
        proxy.url(self.name(), "connect_timeout=1")
    }

    /// Lets nobody connect any more.
    pub async fn close_to_newcomers(&self) {
        administer(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", self.name())).await;
    }

    fn name(&self) -> &str {
        self.name.as_deref().expect("the first owner knows the name")
    }

    /// The same database for another hub, by a pool of its own.
    pub fn shared(&self) -> Self {
        let (url, pool) = (self.url.clone(), db::pool(&self.url, CONNECTIONS, db::POOL_PATIENCE));
        Self { url, pool, name: None }
    }

    /// A connection to it that knows nothing of diesel.
    pub async fn client(&self) -> tokio_postgres::Client {
        let (client, connection) = tokio_postgres::connect(self.url.expose_secret(), tokio_postgres::NoTls)
            .await
            .expect("the test database can be reached");
        tokio::spawn(connection);
        client
    }

    async fn create(options: &str) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", MADE.fetch_add(1, Ordering::Relaxed));
        administer(&format!("CREATE DATABASE {name} {options}")).await;
        let url = cluster().url(&name);
        Self { pool: db::pool(&url, CONNECTIONS, db::POOL_PATIENCE), url, name: Some(name) }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Some(name) = &self.name else { return };
        let drop_database = format!("DROP DATABASE {name} WITH (FORCE)");
        // Nobody waits for it: PostgreSQL drops a database only when every session has taken note, and one of them may be
        // sending to a client on this very thread.
        std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime can be made")
                .block_on(administer(&drop_database));
        });
    }
}

async fn administer(statement: &str) {
    db::connect(&cluster().url("postgres"))
        .await
        .expect("the test cluster can be reached")
        .batch_execute(statement)
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
}
