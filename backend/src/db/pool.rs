//! Pools of connections: made when first needed, used again while they are good.

use std::ops::Deref;
use std::sync::{Arc, Mutex};
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
use secrecy::{ExposeSecret as _, SecretString};
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};

use super::address::Address;
use super::connect_error::ConnectError;
use super::connection::Connection;
use super::outage::{self, Answer};
use crate::unpoisoned;

/// A connection of a pool, given back when it is dropped.
pub type PooledConnection = deadpool::Object<Connection>;
type Connections = deadpool::Pool<Connection>;
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

/// Connections that are made when first needed and then used again.
#[derive(Clone)]
pub struct Pool {
    connections: Connections,
    silence: Arc<Silence>,
    /// Nothing where the address cannot be read.
    address: Option<Arc<Address>>,
}

impl Pool {
    /// A connection. [`TimeoutType::Wait`] means that all are in use, and not that those who have them wait for a database
    /// that is away: then it is [`TimeoutType::Create`].
    pub async fn get(&self) -> Result<PooledConnection, deadpool::PoolError> {
        self.get_within(self.timeouts().wait.unwrap_or(POOL_PATIENCE)).await
    }

    /// The same, but waits at most this long while all are in use.
    pub async fn get_within(&self, patience: Duration) -> Result<PooledConnection, deadpool::PoolError> {
        let timeouts = Timeouts { wait: Some(patience), ..self.timeouts() };
        self.timeout_get(&timeouts).await.map_err(|cause| match cause {
            PoolError::Timeout(TimeoutType::Wait) if self.is_away() => {
                PoolError::Timeout(TimeoutType::Create)
            }
            cause => cause,
        })
    }

    /// Whether the server is there and had no place for the connection that was tried last.
    pub fn is_full(&self) -> bool {
        self.silence.standing() == Standing::Full
    }

    fn is_away(&self) -> bool {
        self.silence.standing() == Standing::Away
            || self.address.as_ref().is_some_and(|address| address.is_in_doubt())
    }
}

impl Deref for Pool {
    type Target = Connections;

    fn deref(&self) -> &Connections {
        &self.connections
    }
}

/// Makes a pool of up to `size` connections; none is opened before it is needed, and nobody waits for one longer than
/// `patience` while all are in use.
///
/// A connection that comes back with a statement under way or a transaction open is closed within a second, and one
/// that has not been used for a second is asked before it is used again.
pub fn pool(database_url: &SecretString, size: usize, patience: Duration) -> Pool {
    let mut config = ManagerConfig::default();
    let silence = Arc::new(Silence::new());
    let asked = Arc::clone(&silence);
    config.recycling_method = RecyclingMethod::CustomFunction(Box::new(move |conn| {
        let silence = Arc::clone(&asked);
        async move { silence.check(conn).await }.boxed()
    }));
    let connected = Arc::clone(&silence);
    // Kept for as long as the pool: what its servers once offered counts.
    let address = Address::parse(database_url.expose_secret()).map(Arc::new).ok();
    let kept = address.clone();
    config.custom_setup = Box::new(move |url| {
        let address = kept.clone().map_or_else(|| Address::parse(url).map(Arc::new), Ok);
        let silence = Arc::clone(&connected);
        async move { connect_for_requests(address, &silence).await }.boxed()
    });
    let manager = AsyncDieselConnectionManager::new_with_config(database_url.expose_secret(), config);
    let connections = Connections::builder(manager)
        .max_size(size)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(patience))
        .build()
        .expect("a pool that knows its runtime may have time limits");
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(sweep(connections.weak()));
    }
    Pool { connections, silence, address }
}

async fn connect_for_requests(
    address: Result<Arc<Address>, ConnectError>,
    silence: &Silence,
) -> ConnectionResult<Connection> {
    let connected = Connection::establish(&address?).await;
    let standing = match &connected {
        Ok(_) => Standing::Answers,
        Err(cause) if cause.is_full() => Standing::Full,
        Err(_) => Standing::Away,
    };
    silence.set(standing);
    let mut conn = connected.inspect_err(|_| outage::not_connected(standing == Standing::Full))?;
    outage::connected(if conn.is_read_only() { Answer::TakesNoChanges } else { Answer::TakesChanges });
    conn.batch_execute(REQUEST_SETTINGS).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

/// Answers whether a connection that was kept may be used again.
pub async fn check(conn: &mut Connection) -> QueryResult<()> {
    Silence::new().check(conn).await
}

/// How the server stands, as far as the pool knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Answers,
    /// It answers and has no place for further connections.
    Full,
    Away,
}

/// What is known of a server that does not answer.
struct Silence {
    /// Until when it is known not to have answered: connections that were last heard before are not asked one by one.
    until: Mutex<Option<Instant>>,
    standing: Mutex<Standing>,
}

impl Silence {
    const fn new() -> Self {
        Self { until: Mutex::new(None), standing: Mutex::new(Standing::Answers) }
    }

    fn standing(&self) -> Standing {
        *unpoisoned::lock(&self.standing)
    }

    fn set(&self, standing: Standing) {
        *unpoisoned::lock(&self.standing) = standing;
    }

    /// Notes that a connection works, which says nothing of whether there is a place for another.
    fn answers(&self) {
        let mut standing = unpoisoned::lock(&self.standing);
        if *standing == Standing::Away {
            *standing = Standing::Answers;
        }
    }

    async fn check(&self, conn: &mut Connection) -> QueryResult<()> {
        let is_settled =
            !conn.is_busy() || timeout(SETTLE_TIMEOUT, ping(conn)).await.is_ok_and(|pong| pong.is_ok());
        if !is_settled || !conn.is_idle() {
            return Err(unusable("it was left in the middle of something"));
        }
        let heard = conn.heard();
        // One from when the server took no changes may keep to that.
        let is_suspect = conn.is_read_only() && !outage::is_read_only();
        if heard.elapsed() < FRESH && !is_suspect {
            self.answers();
            return Ok(());
        }
        if unpoisoned::lock(&self.until).is_some_and(|silent| heard < silent) {
            return Err(unusable("others like it are dead"));
        }
        let Ok(answered) = timeout(PING_TIMEOUT, ask(conn)).await else {
            self.set(Standing::Away);
            *unpoisoned::lock(&self.until) = Some(Instant::now());
            return Err(unusable("the server does not answer"));
        };
        let answer = answered?;
        if answer == Answer::TakesChanges {
            conn.takes_changes();
        }
        self.answers();
        outage::answered(answer);
        match answer {
            Answer::IsThere | Answer::TakesChanges => Ok(()),
            // A session may keep what held for new ones when it was one.
            Answer::TakesNoChanges => Err(unusable("it takes no changes")),
        }
    }
}

async fn ping(conn: &mut Connection) -> QueryResult<()> {
    conn.batch_execute("SELECT 1").await
}

/// Asks a server whether it is there and, if changes were refused lately or by this session, whether it takes them. A session that took
/// changes from its beginning proves nothing: new ones may take none.
async fn ask(conn: &mut Connection) -> QueryResult<Answer> {
    if !outage::is_read_only() && !conn.is_read_only() {
        return ping(conn).await.map(|()| Answer::IsThere);
    }
    let setting = diesel::select(sql::<Text>("current_setting('transaction_read_only')"));
    // Not for the whole file: every value there would have a `load`.
    let found: String = diesel_async::RunQueryDsl::get_result(setting, conn).await?;
    Ok(match (found.as_str(), conn.is_read_only()) {
        ("off", true) => Answer::TakesChanges,
        ("off", false) => Answer::IsThere,
        _ => Answer::TakesNoChanges,
    })
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
