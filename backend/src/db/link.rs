//! What lies under a connection: the task that moves its messages, and the ways to close it and to stop its statement.

use std::future::poll_fn;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_postgres::{AsyncMessage, CancelToken, Client, Notification};

use super::address::{Address, Target};
use super::connect_error::{ConnectError, within};
use super::outage;
use super::socket::Socket;
use super::state::ConnectionState;
use super::stream::{AsItIs, MonitoredStream};

type Messages = tokio_postgres::Connection<MonitoredStream, MonitoredStream>;

/// The link of a connection. A connection whose link is dropped is closed: in good order where nothing is under way,
/// else at once.
pub(super) struct Link {
    pub state: Arc<ConnectionState>,
    pub notifications: mpsc::UnboundedReceiver<Notification>,
    address: Arc<Address>,
    target: Target,
}

impl Link {
    /// Connects and signs in; the caller limits the time.
    pub async fn open(address: &Arc<Address>, target: &Target) -> Result<(Client, Self), ConnectError> {
        let state = Arc::new(ConnectionState::new());
        let stream = stream(address, target, &state).await?;
        let (client, messages) =
            address.config.connect_raw(stream, AsItIs).await.map_err(ConnectError::Refused)?;
        let (sender, notifications) = mpsc::unbounded_channel();
        tokio::spawn(move_messages(messages, Arc::clone(&state), sender));
        Ok((client, Self { state, notifications, address: Arc::clone(address), target: target.clone() }))
    }

    /// Asks the server to stop the statement that the token belongs to; it may have ended by then.
    pub fn cancel(
        &self,
        token: CancelToken,
    ) -> impl Future<Output = Result<(), ConnectError>> + Send + use<> {
        let (address, target) = (Arc::clone(&self.address), self.target.clone());
        async move {
            let cancelling = async {
                let stream = stream(&address, &target, &Arc::new(ConnectionState::new())).await?;
                token.cancel_query_raw(stream, AsItIs).await.map_err(ConnectError::Refused)
            };
            within(address.timeout, cancelling).await
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

/// Moves messages until the connection is closed, from whichever side.
async fn move_messages(
    mut messages: Messages,
    state: Arc<ConnectionState>,
    notifications: mpsc::UnboundedSender<Notification>,
) {
    let moving = async {
        loop {
            match poll_fn(|cx| messages.poll_message(cx)).await {
                // Nobody may be listening.
                Some(Ok(AsyncMessage::Notification(notification))) => drop(notifications.send(notification)),
                Some(Ok(_)) => {}
                // Before the statements hear of it, which is when the messages are dropped.
                Some(Err(cause)) => return outage::lost(format!("{:#}", anyhow::Error::new(cause))),
                None => return,
            }
        }
    };
    tokio::select! {
        () = state.closing() => {}
        () = moving => {}
    }
    state.closed();
}
