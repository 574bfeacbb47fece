//! Connection pools. Connections are opened on demand and reused while they work.

use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::deadpool::Runtime;
use ::deadpool::managed::{PoolError, TimeoutType, Timeouts};
use diesel::dsl::sql;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::Text;
use diesel::{ConnectionError, ConnectionResult, QueryResult};
use diesel_async::SimpleAsyncConnection as _;
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod, deadpool,
};
use futures_util::FutureExt as _;
use parking_lot::Mutex;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};

use super::address::Address;
use super::connect_error::ConnectError;
use super::connection::Connection;
use super::copy_connection::CopyConnection;
use super::outage::{self, ServerStatus};

/// A pooled connection. It goes back to the pool when it is dropped.
pub type PooledConnection = deadpool::Object<Connection>;
type Connections = deadpool::Pool<Connection>;
type WeakPool = ::deadpool::managed::WeakPool<AsyncDieselConnectionManager<Connection>>;

/// How long a request waits for a free connection before it fails because the hub is busy.
pub const POOL_WAIT_TIMEOUT: Duration = Duration::from_secs(10);

/// The settings for statements of requests. Exports and imports, which may take longer, disable the timeout
/// for their transaction.
const REQUEST_SETTINGS: &str = "SET statement_timeout = '30s'";

/// A connection that received something this recently is reused without a ping.
const MAX_AGE_WITHOUT_PING: Duration = Duration::from_secs(1);
/// How long a server may take to answer a ping.
const PING_TIMEOUT: Duration = Duration::from_secs(2);
/// How long the rest of an abandoned response may take to arrive.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(100);
/// How often idle connections are checked.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// A pool of connections.
#[derive(Clone)]
pub struct Pool {
    connections: Connections,
    health: Arc<ServerHealth>,
    /// `None` if the address is invalid.
    address: Option<Arc<Address>>,
}

impl Pool {
    /// Takes a connection from the pool.
    ///
    /// The error is [`TimeoutType::Wait`] if all connections are in use, and [`TimeoutType::Create`] if that
    /// is because the database is unreachable.
    pub async fn get(&self) -> Result<PooledConnection, deadpool::PoolError> {
        self.get_within(self.timeouts().wait.unwrap_or(POOL_WAIT_TIMEOUT)).await
    }

    /// Opens a connection to the same database outside the pool, for a COPY.
    pub async fn open_copy_connection(&self) -> Result<CopyConnection, ConnectError> {
        let address = self.address.as_ref().ok_or(ConnectError::InvalidHosts)?;
        let conn = self.health.record(CopyConnection::establish(address).await)?;
        record_new_connection(conn.is_read_only());
        Ok(conn)
    }

    /// Like [`Self::get`], but waits at most `wait_timeout` while all connections are in use.
    pub async fn get_within(&self, wait_timeout: Duration) -> Result<PooledConnection, deadpool::PoolError> {
        let timeouts = Timeouts { wait: Some(wait_timeout), ..self.timeouts() };
        self.timeout_get(&timeouts).await.map_err(|cause| match cause {
            PoolError::Timeout(TimeoutType::Wait) if self.is_unreachable() => {
                PoolError::Timeout(TimeoutType::Create)
            }
            cause => cause,
        })
    }

    /// Whether the last connection attempt failed because the server had no free slots.
    pub fn is_full(&self) -> bool {
        self.health.state() == ServerState::Full
    }

    fn is_unreachable(&self) -> bool {
        self.health.state() == ServerState::Unreachable
            || self.address.as_ref().is_some_and(|address| address.has_overdue_probe())
    }
}

impl Deref for Pool {
    type Target = Connections;

    fn deref(&self) -> &Connections {
        &self.connections
    }
}

/// Creates a pool of at most `size` connections, opened on demand. A caller waits at most `wait_timeout`
/// while all are in use.
///
/// A connection that is returned while a statement is running or a transaction is open is closed within a
/// second. One that was idle for a second is pinged before it is reused.
pub fn pool(database_url: &SecretString, size: usize, wait_timeout: Duration) -> Pool {
    let mut config = ManagerConfig::default();
    let health = Arc::new(ServerHealth::new());
    let recycling_health = Arc::clone(&health);
    config.recycling_method = RecyclingMethod::CustomFunction(Box::new(move |conn| {
        let health = Arc::clone(&recycling_health);
        async move { health.check(conn).await }.boxed()
    }));
    let setup_health = Arc::clone(&health);
    // Kept as long as the pool, because it remembers whether its servers offered TLS.
    let address = Address::parse(database_url.expose_secret()).map(Arc::new).ok();
    let pool_address = address.clone();
    config.custom_setup = Box::new(move |url| {
        let address = pool_address.clone().map_or_else(|| Address::parse(url).map(Arc::new), Ok);
        let health = Arc::clone(&setup_health);
        async move { connect_for_requests(address, &health).await }.boxed()
    });
    let manager = AsyncDieselConnectionManager::new_with_config(database_url.expose_secret(), config);
    let connections = Connections::builder(manager)
        .max_size(size)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(wait_timeout))
        .build()
        .expect("timeouts only require a runtime, which is set");
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(sweep(connections.weak()));
    }
    Pool { connections, health, address }
}

async fn connect_for_requests(
    address: Result<Arc<Address>, ConnectError>,
    health: &ServerHealth,
) -> ConnectionResult<Connection> {
    let mut conn = health.record(Connection::establish(&address?).await)?;
    record_new_connection(conn.is_read_only());
    conn.batch_execute(REQUEST_SETTINGS).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

fn record_new_connection(is_read_only: bool) {
    outage::record_connection(if is_read_only { ServerStatus::ReadOnly } else { ServerStatus::Writable });
}

/// Checks whether a connection that was kept open may be reused.
pub async fn check(conn: &mut Connection) -> QueryResult<()> {
    ServerHealth::new().check(conn).await
}

/// The state of the server, as far as the pool knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ServerState {
    Reachable,
    /// It responds, but has no free connection slots.
    Full,
    Unreachable,
}

/// What the pool knows about its server.
struct ServerHealth {
    /// When a ping last timed out. Connections that received nothing since then are closed without a ping.
    ping_timed_out_at: Mutex<Option<Instant>>,
    state: Mutex<ServerState>,
}

impl ServerHealth {
    const fn new() -> Self {
        Self { ping_timed_out_at: Mutex::new(None), state: Mutex::new(ServerState::Reachable) }
    }

    fn state(&self) -> ServerState {
        *self.state.lock()
    }

    fn set_state(&self, state: ServerState) {
        *self.state.lock() = state;
    }

    /// Records whether a connection could be established.
    fn record<C>(&self, result: Result<C, ConnectError>) -> Result<C, ConnectError> {
        let state = match &result {
            Ok(_) => ServerState::Reachable,
            Err(cause) if cause.is_full() => ServerState::Full,
            Err(_) => ServerState::Unreachable,
        };
        self.set_state(state);
        result.inspect_err(|_| outage::record_failed_connection(state == ServerState::Full))
    }

    /// Records that a connection works, which does not mean that the server has a free slot for another one.
    fn mark_reachable(&self) {
        let mut state = self.state.lock();
        if *state == ServerState::Unreachable {
            *state = ServerState::Reachable;
        }
    }

    async fn check(&self, conn: &mut Connection) -> QueryResult<()> {
        let is_drained =
            !conn.is_busy() || timeout(DRAIN_TIMEOUT, ping(conn)).await.is_ok_and(|pong| pong.is_ok());
        if !is_drained || !conn.is_idle() {
            return Err(unusable("it was returned with a running statement or an open transaction"));
        }
        let last_received = conn.last_received();
        // A session that was opened while the server was read-only may stay read-only.
        let may_be_stale = conn.is_read_only() && !outage::is_read_only();
        if last_received.elapsed() < MAX_AGE_WITHOUT_PING && !may_be_stale {
            self.mark_reachable();
            return Ok(());
        }
        if self.ping_timed_out_at.lock().is_some_and(|timed_out_at| last_received < timed_out_at) {
            return Err(unusable("the server did not answer on another connection"));
        }
        let Ok(status) = timeout(PING_TIMEOUT, check_status(conn)).await else {
            self.set_state(ServerState::Unreachable);
            *self.ping_timed_out_at.lock() = Some(Instant::now());
            return Err(unusable("the server does not answer"));
        };
        let status = status?;
        if status == ServerStatus::Writable {
            conn.mark_writable();
        }
        self.mark_reachable();
        outage::record_ping(status);
        match status {
            ServerStatus::Up | ServerStatus::Writable => Ok(()),
            // A session keeps the mode that was the default when it was opened.
            ServerStatus::ReadOnly => Err(unusable("it is read-only")),
        }
    }
}

async fn ping(conn: &mut Connection) -> QueryResult<()> {
    conn.batch_execute("SELECT 1").await
}

/// Checks whether a server responds and, if it or this session was recently read-only, whether it accepts
/// writes. A session that always accepted writes proves nothing, because new sessions may still be read-only.
async fn check_status(conn: &mut Connection) -> QueryResult<ServerStatus> {
    if !outage::is_read_only() && !conn.is_read_only() {
        return ping(conn).await.map(|()| ServerStatus::Up);
    }
    let setting = diesel::select(sql::<Text>("current_setting('transaction_read_only')"));
    // Called by its path: importing the trait would give every value in this file a `load` method.
    let found: String = diesel_async::RunQueryDsl::get_result(setting, conn).await?;
    Ok(match (found.as_str(), conn.is_read_only()) {
        ("off", true) => ServerStatus::Writable,
        ("off", false) => ServerStatus::Up,
        _ => ServerStatus::ReadOnly,
    })
}

fn unusable(reason: &str) -> DieselError {
    DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection, Box::new(reason.to_owned()))
}

/// Closes connections that were returned with a running statement or an open transaction, so that they hold
/// no locks. Ends with the pool.
async fn sweep(pool: WeakPool) {
    loop {
        sleep(SWEEP_INTERVAL).await;
        let Some(pool) = pool.upgrade().filter(|pool| !pool.is_closed()) else { return };
        let is_good = |conn: &Connection| {
            conn.is_idle() || (conn.is_busy() && conn.last_received().elapsed() < SWEEP_INTERVAL)
        };
        drop(pool.retain(|conn, _| is_good(conn)));
    }
}
