//! The I/O side of a connection: the task that reads and writes its messages, closing it, and cancelling its
//! statement.

use std::future::poll_fn;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_postgres::{AsyncMessage, CancelToken, Client, Notification};
use tracing::debug;

use super::address::{Address, Target};
use super::connect_error::{ConnectError, within};
use super::outage;
use super::socket::Socket;
use super::state::ConnectionState;
use super::stream::{AlreadyNegotiated, MonitoredStream};

type Messages = tokio_postgres::Connection<MonitoredStream, MonitoredStream>;

/// The link of a connection. When it is dropped, the connection is closed: gracefully if it is idle,
/// otherwise immediately.
pub(super) struct Link {
    pub state: Arc<ConnectionState>,
    pub notifications: mpsc::UnboundedReceiver<Notification>,
    address: Arc<Address>,
    target: Target,
}

impl Link {
    /// Connects and authenticates. The caller sets a time limit.
    pub async fn open(address: &Arc<Address>, target: &Target) -> Result<(Client, Self), ConnectError> {
        let state = Arc::new(ConnectionState::new());
        let stream = stream(address, target, &state).await?;
        let (client, messages) =
            address.config.connect_raw(stream, AlreadyNegotiated).await.map_err(ConnectError::Rejected)?;
        let (sender, notifications) = mpsc::unbounded_channel();
        tokio::spawn(drive(messages, Arc::clone(&state), sender));
        Ok((client, Self { state, notifications, address: Arc::clone(address), target: target.clone() }))
    }

    /// Asks the server to cancel the statement that the token belongs to, which may have finished already.
    pub fn cancel(
        &self,
        token: CancelToken,
    ) -> impl Future<Output = Result<(), ConnectError>> + Send + use<> {
        let (address, target) = (Arc::clone(&self.address), self.target.clone());
        async move {
            let cancel_request = async {
                let stream = stream(&address, &target, &Arc::new(ConnectionState::new())).await?;
                token.cancel_query_raw(stream, AlreadyNegotiated).await.map_err(ConnectError::Rejected)
            };
            within(address.timeout, cancel_request).await
        }
    }

    /// If a statement is running, closes the connection immediately and asks the server to cancel the statement.
    pub fn abandon(&self, token: impl FnOnce() -> CancelToken) {
        if self.state.is_closed() || !self.state.is_busy() {
            return;
        }
        self.state.close();
        // Without a runtime there is nothing to do: its connections end with it.
        if let Ok(runtime) = Handle::try_current() {
            let cancel_request = self.cancel(token());
            runtime.spawn(async move {
                if let Err(cause) = cancel_request.await {
                    let cause = format!("{:#}", anyhow::Error::new(cause));
                    debug!(cause, "Failed to cancel an abandoned statement");
                }
            });
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if !self.state.is_idle() {
            self.state.close();
        }
    }
}

async fn stream(
    address: &Arc<Address>,
    target: &Target,
    state: &Arc<ConnectionState>,
) -> Result<MonitoredStream, ConnectError> {
    let socket = Socket::connect(address, target).await?;
    Ok(MonitoredStream::new(socket, Arc::clone(state), Arc::clone(address), target.clone()))
}

/// Reads and writes messages until either side closes the connection.
async fn drive(
    mut messages: Messages,
    state: Arc<ConnectionState>,
    notifications: mpsc::UnboundedSender<Notification>,
) {
    let driving = async {
        loop {
            match poll_fn(|cx| messages.poll_message(cx)).await {
                // Fails if there is no listener.
                Some(Ok(AsyncMessage::Notification(notification))) => drop(notifications.send(notification)),
                Some(Ok(_)) => {}
                // Recorded before the statements fail, which happens when the messages are dropped.
                Some(Err(cause)) => {
                    return outage::record_lost_connection(format!("{:#}", anyhow::Error::new(cause)));
                }
                None => return,
            }
        }
    };
    tokio::select! {
        () = state.closing() => {}
        () = driving => {}
    }
    state.mark_closed();
}
