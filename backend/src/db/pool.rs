//! Pools of connections: made when first needed, used again while they are good.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ::deadpool::Runtime;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::{ConnectionError, ConnectionResult, QueryResult};
use diesel_async::SimpleAsyncConnection as _;
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod, deadpool,
};
use futures_util::FutureExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};

use super::address::Address;
use super::connect_error::ConnectError;
use super::connection::Connection;
use super::outage;
use crate::unpoisoned;

/// A connection of a pool, given back when it is dropped.
pub type PooledConnection = deadpool::Object<Connection>;
/// Connections that are made when first needed and then used again.
pub type Pool = deadpool::Pool<Connection>;
type WeakPool = ::deadpool::managed::WeakPool<AsyncDieselConnectionManager<Connection>>;

/// How long a request waits for a connection before it is told that the hub is busy.
pub const POOL_PATIENCE: Duration = Duration::from_secs(10);

/// What holds for the statements of a request: nobody waits longer for an answer. Exports and imports, which take as
/// long as they take, lift it for their transaction by [`super::UNLIMITED`].
const REQUEST_SETTINGS: &str = "SET statement_timeout = '30s'";

/// A connection whose server was heard so recently is taken without a question.
const FRESH: Duration = Duration::from_secs(1);
/// How long a server may take to say that it is there.
const PING_TIMEOUT: Duration = Duration::from_secs(2);
/// How long the end of an answer that nobody waited for may take to arrive.
const SETTLE_TIMEOUT: Duration = Duration::from_millis(100);
/// How often the idle connections are looked through.
const SWEEP: Duration = Duration::from_secs(1);

/// Makes a pool of up to `size` connections; none is opened before it is needed, and nobody waits for one longer than
/// `patience` while all are in use.
///
/// A connection that comes back with a statement under way or a transaction open is closed within a second, and one
/// that has not been used for a second is asked before it is used again.
pub fn pool(database_url: &SecretString, size: usize, patience: Duration) -> Pool {
    let mut config = ManagerConfig::default();
    let silence = Arc::new(Silence::default());
    config.recycling_method = RecyclingMethod::CustomFunction(Box::new(move |conn| {
        let silence = Arc::clone(&silence);
        async move { silence.check(conn).await }.boxed()
    }));
    // Kept for as long as the pool: what its servers once offered counts.
    let address = Address::parse(database_url.expose_secret()).map(Arc::new).ok();
    config.custom_setup = Box::new(move |url| {
        let address = address.clone().map_or_else(|| Address::parse(url).map(Arc::new), Ok);
        connect_for_requests(address).boxed()
    });
    let manager = AsyncDieselConnectionManager::new_with_config(database_url.expose_secret(), config);
    let pool = Pool::builder(manager)
        .max_size(size)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(patience))
        .build()
        .expect("a pool that knows its runtime may have time limits");
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(sweep(pool.weak()));
    }
    pool
}

async fn connect_for_requests(address: Result<Arc<Address>, ConnectError>) -> ConnectionResult<Connection> {
    let mut conn = Connection::establish(&address?).await?;
    outage::is_over();
    conn.batch_execute(REQUEST_SETTINGS).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

/// Answers whether a connection that was kept may be used again.
pub async fn check(conn: &mut Connection) -> QueryResult<()> {
    Silence::default().check(conn).await
}

/// Until when a server is known not to have answered: connections that were last heard before are not asked one by one.
#[derive(Default)]
struct Silence(Mutex<Option<Instant>>);

impl Silence {
    async fn check(&self, conn: &mut Connection) -> QueryResult<()> {
        let is_settled =
            !conn.is_busy() || timeout(SETTLE_TIMEOUT, ping(conn)).await.is_ok_and(|pong| pong.is_ok());
        if !is_settled || !conn.is_idle() {
            return Err(unusable("it was left in the middle of something"));
        }
        let heard = conn.heard();
        if heard.elapsed() < FRESH {
            return Ok(());
        }
        if unpoisoned::lock(&self.0).is_some_and(|silent| heard < silent) {
            return Err(unusable("others like it are dead"));
        }
        match timeout(PING_TIMEOUT, ping(conn)).await {
            Ok(answered) => answered,
            Err(_) => {
                *unpoisoned::lock(&self.0) = Some(Instant::now());
                Err(unusable("the server does not answer"))
            }
        }
    }
}

async fn ping(conn: &mut Connection) -> QueryResult<()> {
    conn.batch_execute("SELECT 1").await
}

fn unusable(why: &str) -> DieselError {
    DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection, Box::new(why.to_owned()))
}

/// Closes what came back in the middle of something, so that it holds no locks, until the pool is gone.
async fn sweep(pool: WeakPool) {
    loop {
        sleep(SWEEP).await;
        let Some(pool) = pool.upgrade().filter(|pool| !pool.is_closed()) else { return };
        let good = |conn: &Connection| conn.is_idle() || (conn.is_busy() && conn.heard().elapsed() < SWEEP);
        drop(pool.retain(|conn, _| good(conn)));
    }
}
