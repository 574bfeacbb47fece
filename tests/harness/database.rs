//! A database for each test: cloned from a migrated template, and dropped when the test ends.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use backend::db::{self, Pool};
use diesel_async::SimpleAsyncConnection as _;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::OnceCell;

use super::cluster::cluster;
use super::proxy::Proxy;

const TEMPLATE: &str = "template_of_tests";

/// The pool size of a test's hub.
const POOL_SIZE: usize = 8;

/// A database of one test.
pub struct TestDatabase {
    pub url: SecretString,
    pub pool: Pool,
    /// Only set for the owner, which drops the database. Handles that share the database have none.
    name: Option<String>,
}

impl TestDatabase {
    /// A database with every migration applied and no rows.
    pub async fn new() -> Self {
        static MIGRATED: OnceCell<()> = OnceCell::const_new();
        MIGRATED
            .get_or_init(|| async {
                execute_as_admin(&format!("DROP DATABASE IF EXISTS {TEMPLATE}")).await;
                execute_as_admin(&format!("CREATE DATABASE {TEMPLATE}")).await;
                db::migrate(&cluster().url(TEMPLATE))
                    .await
                    .expect("the migrations apply to an empty database");
            })
            .await;
        // The files are copied, since writing each page through the log takes three times as long.
        Self::create(&format!("TEMPLATE {TEMPLATE} STRATEGY file_copy")).await
    }

    /// The existing database at this URL, with every migration applied.
    pub async fn at(url: SecretString) -> Self {
        db::migrate(&url).await.expect("the migrations apply to an empty database");
        Self { pool: db::pool(&url, POOL_SIZE, db::POOL_WAIT_TIMEOUT), url, name: None }
    }

    /// A database without tables.
    pub async fn empty() -> Self {
        Self::create("").await
    }

    /// Replaces the pool by one whose callers wait only a millisecond for a connection.
    pub fn with_short_pool_timeout(mut self) -> Self {
        self.pool = db::pool(&self.url, POOL_SIZE, Duration::from_millis(1));
        self
    }

    /// Replaces the pool by one that connects through a proxy, with a timeout of one second.
    pub fn through(mut self, proxy: &Proxy) -> Self {
        self.pool = db::pool(&self.url_through(proxy), POOL_SIZE, db::POOL_WAIT_TIMEOUT);
        self
    }

    /// The database's URL through a proxy, with a timeout of one second.
    pub fn url_through(&self, proxy: &Proxy) -> SecretString {
        proxy.url(self.name(), "connect_timeout=1")
    }

    /// Makes PostgreSQL refuse new connections to the database.
    pub async fn refuse_new_connections(&self) {
        execute_as_admin(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", self.name())).await;
    }

    fn name(&self) -> &str {
        self.name.as_deref().expect("only the owner of a database is asked for its name")
    }

    /// The same database with another pool, for another hub.
    pub fn shared(&self) -> Self {
        let (url, pool) = (self.url.clone(), db::pool(&self.url, POOL_SIZE, db::POOL_WAIT_TIMEOUT));
        Self { url, pool, name: None }
    }

    /// A connection to the database without diesel.
    pub async fn client(&self) -> tokio_postgres::Client {
        let (client, connection) = tokio_postgres::connect(self.url.expose_secret(), tokio_postgres::NoTls)
            .await
            .expect("the test database accepts connections");
        tokio::spawn(connection);
        client
    }

    async fn create(options: &str) -> Self {
        static LAST_NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", LAST_NUMBER.fetch_add(1, Ordering::Relaxed));
        execute_as_admin(&format!("CREATE DATABASE {name} {options}")).await;
        let url = cluster().url(&name);
        Self { pool: db::pool(&url, POOL_SIZE, db::POOL_WAIT_TIMEOUT), url, name: Some(name) }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Some(name) = &self.name else { return };
        let drop_database = format!("DROP DATABASE {name} WITH (FORCE)");
        // On another thread: PostgreSQL drops a database only after all its sessions have ended, and one of
        // them may be waiting for a client on this thread.
        std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime can be created")
                .block_on(execute_as_admin(&drop_database));
        });
    }
}

async fn execute_as_admin(statement: &str) {
    db::connect(&cluster().url("postgres"))
        .await
        .expect("the test cluster accepts connections")
        .batch_execute(statement)
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
}
