//! A connection that knows how it stands: it is closed where its statement was abandoned, and found out where its server
//! fell silent.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Instant;

use diesel::pg::PgNotification;
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::PoolableConnection;
use diesel_async::{AsyncConnection, TransactionManager};
use futures_util::{Stream, stream};
use tokio::runtime::Handle;
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::{Client, SimpleQueryMessage};
use tracing::debug;

use super::address::{Address, Target};
use super::connect_error::{ConnectError, within};
use super::link::Link;

/// What holds for each connection.
///
/// Plans are made for the values at hand, since a filter on one course and one on another, or on this month and on all
/// time, want different indexes and partitions. No query runs long enough in its expressions for JIT to pay. PostgreSQL
/// finds out within a minute that the other end is gone, since the session may hold locks.
const SETTINGS: &str = "\
    SET TimeZone = 'UTC'; \
    SET plan_cache_mode = force_custom_plan; \
    SET jit = off; \
    SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3; \
    SELECT pg_backend_pid(), current_setting('transaction_read_only')";

/// One connection, in a pool or out of it.
///
/// When it is dropped while a statement is under way or a transaction open, it is closed at once, and the server is asked
/// to stop the statement.
pub struct Connection {
    inner: AsyncPgConnection,
    link: Link,
    /// Whether the server takes no changes in this session, as far as is known.
    is_read_only: bool,
}

impl Connection {
    /// Connects to the first server of an address that is good.
    pub(super) async fn establish(address: &Arc<Address>) -> Result<Self, ConnectError> {
        let mut problem = ConnectError::Hosts;
        for target in address.targets().await? {
            match within(address.timeout, Self::open(address, &target)).await {
                Ok(conn) => return Ok(conn),
                Err(found) => problem = found,
            }
        }
        Err(problem)
    }

    async fn open(address: &Arc<Address>, target: &Target) -> Result<Self, ConnectError> {
        let (client, link) = Link::open(address, target).await?;
        let Session { backend, is_read_only } = set_up(&client).await.map_err(ConnectError::Refused)?;
        let fits = match address.config.get_target_session_attrs() {
            TargetSessionAttrs::ReadWrite => !is_read_only,
            TargetSessionAttrs::ReadOnly => is_read_only,
            _ => true,
        };
        if !fits {
            return Err(ConnectError::OtherKind);
        }
        link.state.served_by(backend);
        let inner = AsyncPgConnection::try_from(client).await.map_err(ConnectError::Session)?;
        Ok(Self { inner, link, is_read_only })
    }

    /// The notifications that other sessions send with NOTIFY; ends with the connection.
    pub fn notifications(&mut self) -> impl Stream<Item = PgNotification> + Send + '_ {
        stream::unfold(&mut self.link.notifications, |receiver| async move {
            let sent = receiver.recv().await?;
            let notification = PgNotification {
                process_id: sent.process_id(),
                channel: sent.channel().to_owned(),
                payload: sent.payload().to_owned(),
            };
            Some((notification, receiver))
        })
    }

    /// Stops the statement that is under way and closes the connection: the message that stops it may come late, and
    /// would then stop the next statement.
    pub async fn cancel(self) -> Result<(), ConnectError> {
        // First, or dropping it would ask the server once more.
        self.link.state.close();
        self.link.cancel(self.inner.cancel_token()).await
    }

    /// Whether the server takes no changes in this session, as far as is known.
    pub(super) const fn is_read_only(&self) -> bool {
        self.is_read_only
    }

    /// Notes that the server takes changes in this session.
    pub(super) const fn takes_changes(&mut self) {
        self.is_read_only = false;
    }

    /// When the server last said anything.
    pub(super) fn heard(&self) -> Instant {
        self.link.state.heard()
    }

    /// Whether a statement is under way.
    pub(super) fn is_busy(&self) -> bool {
        self.link.state.is_busy()
    }

    /// Whether it is open, no statement under way and no transaction open.
    pub(super) fn is_idle(&self) -> bool {
        self.link.state.is_idle()
    }
}

/// What is asked of a server first.
struct Session {
    backend: i32,
    is_read_only: bool,
}

async fn set_up(client: &Client) -> Result<Session, tokio_postgres::Error> {
    let mut session = Session { backend: 0, is_read_only: false };
    for message in client.simple_query(SETTINGS).await? {
        if let SimpleQueryMessage::Row(row) = message {
            let backend = row.try_get(0)?.and_then(|backend| backend.parse().ok());
            session =
                Session { backend: backend.unwrap_or_default(), is_read_only: row.try_get(1)? == Some("on") };
        }
    }
    Ok(session)
}

impl Deref for Connection {
    type Target = AsyncPgConnection;

    fn deref(&self) -> &AsyncPgConnection {
        &self.inner
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut AsyncPgConnection {
        &mut self.inner
    }
}

impl PoolableConnection for Connection {
    fn is_broken(&mut self) -> bool {
        <Self as AsyncConnection>::TransactionManager::is_broken_transaction_manager(self)
            || self.link.state.is_closed()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let state = &self.link.state;
        if state.is_closed() || !state.is_busy() {
            return;
        }
        state.close();
        // Where the runtime ends too, so do its connections.
        if let Ok(runtime) = Handle::try_current() {
            let cancelling = self.link.cancel(self.inner.cancel_token());
            runtime.spawn(async move {
                if let Err(cause) = cancelling.await {
                    let cause = format!("{:#}", anyhow::Error::new(cause));
                    debug!(cause, "A statement that nobody waits for could not be stopped");
                }
            });
        }
    }
}
