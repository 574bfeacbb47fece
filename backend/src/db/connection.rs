//! A connection that tracks its own state. It is closed if its statement is abandoned, and fails if its
//! server stops responding.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Instant;

use diesel::pg::PgNotification;
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::PoolableConnection;
use diesel_async::{AsyncConnection, TransactionManager};
use futures_util::{Stream, stream};
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::address::{Address, Target};
use super::connect_error::{ConnectError, within};
use super::link::Link;

/// The settings of every session.
///
/// Plans are made for the actual values: filtering by one course or by another, or by this month or by all
/// time, needs different indexes and partitions. No query evaluates enough expressions for JIT to pay off.
/// The keepalives let PostgreSQL end the session within a minute if this process's machine is gone, because
/// the session may hold locks.
const SESSION_SETTINGS: &str = "\
    SET TimeZone = 'UTC'; \
    SET plan_cache_mode = force_custom_plan; \
    SET jit = off; \
    SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3; \
    SELECT pg_backend_pid(), current_setting('transaction_read_only')";

/// A connection, pooled or not.
///
/// If it is dropped while a statement is running or a transaction is open, it is closed immediately and the
/// server is asked to cancel the statement.
pub struct Connection {
    inner: AsyncPgConnection,
    link: Link,
    /// Whether the session was read-only when this was last checked.
    is_read_only: bool,
}

impl Connection {
    /// Connects to the first server of the address that accepts the connection.
    pub(super) async fn establish(address: &Arc<Address>) -> Result<Self, ConnectError> {
        let Session { client, link, is_read_only } = Session::establish(address).await?;
        let starting = async { AsyncPgConnection::try_from(client).await.map_err(ConnectError::Session) };
        Ok(Self { inner: within(address.timeout, starting).await?, link, is_read_only })
    }

    /// The notifications that other sessions send with NOTIFY. The stream ends when the connection is closed.
    pub fn notifications(&mut self) -> impl Stream<Item = PgNotification> + Send + '_ {
        stream::unfold(&mut self.link.notifications, |receiver| async move {
            let received = receiver.recv().await?;
            let notification = PgNotification {
                process_id: received.process_id(),
                channel: received.channel().to_owned(),
                payload: received.payload().to_owned(),
            };
            Some((notification, receiver))
        })
    }

    /// Cancels the running statement and closes the connection: the cancel request may arrive late and would
    /// then cancel the next statement.
    pub async fn cancel(self) -> Result<(), ConnectError> {
        // Close first, or dropping the connection would send a second cancel request.
        self.link.state.close();
        self.link.cancel(self.inner.cancel_token()).await
    }

    /// Whether the session was read-only when this was last checked.
    pub(super) const fn is_read_only(&self) -> bool {
        self.is_read_only
    }

    /// Records that the session accepts writes.
    pub(super) const fn mark_writable(&mut self) {
        self.is_read_only = false;
    }

    /// When the last bytes from the server arrived.
    pub(super) fn last_received(&self) -> Instant {
        self.link.state.last_received()
    }

    /// Whether a statement is running.
    pub(super) fn is_busy(&self) -> bool {
        self.link.state.is_busy()
    }

    /// Whether the connection is open, with no running statement and no open transaction.
    pub(super) fn is_idle(&self) -> bool {
        self.link.state.is_idle()
    }
}

/// A new session with its settings.
pub(super) struct Session {
    pub client: Client,
    pub link: Link,
    pub is_read_only: bool,
}

impl Session {
    /// Opens a session on the first server of the address that accepts it.
    pub async fn establish(address: &Arc<Address>) -> Result<Self, ConnectError> {
        let mut last_error = ConnectError::InvalidHosts;
        for target in address.targets().await? {
            match within(address.timeout, Self::open(address, &target)).await {
                Ok(session) => return Ok(session),
                Err(error) => last_error = error,
            }
        }
        Err(last_error)
    }

    async fn open(address: &Arc<Address>, target: &Target) -> Result<Self, ConnectError> {
        let (client, link) = Link::open(address, target).await?;
        let mut is_read_only = false;
        for message in client.simple_query(SESSION_SETTINGS).await.map_err(ConnectError::Rejected)? {
            if let SimpleQueryMessage::Row(row) = message {
                let backend = row.try_get(0).map_err(ConnectError::Rejected)?;
                link.state.set_backend(backend.and_then(|id| id.parse().ok()).unwrap_or_default());
                is_read_only = row.try_get(1).map_err(ConnectError::Rejected)? == Some("on");
            }
        }
        let is_match = match address.config.get_target_session_attrs() {
            TargetSessionAttrs::ReadWrite => !is_read_only,
            TargetSessionAttrs::ReadOnly => is_read_only,
            _ => true,
        };
        if is_match {
            Ok(Self { client, link, is_read_only })
        } else {
            Err(ConnectError::WrongSessionAttributes)
        }
    }
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
        self.link.abandon(|| self.inner.cancel_token());
    }
}
