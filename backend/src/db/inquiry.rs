//! Asks a server on another connection whether it is still at work for a connection that hears nothing.

use std::pin::Pin;
use std::sync::Arc;

use tokio_postgres::SimpleQueryMessage;

use super::address::{Address, Target};
use super::connect_error::{ConnectError, within};
use super::link::Link;

/// What came of it.
pub(super) enum Finding {
    /// The server works on the statement, as far as can be known.
    AtWork,
    /// The answer will not come any more, for this reason.
    Lost(String),
}

/// A question that is under way.
pub(super) type Inquiry = Pin<Box<dyn Future<Output = Finding> + Send>>;

/// Asks after the statement of a server process. Takes no longer than connecting may.
pub(super) fn ask(address: Arc<Address>, target: Target, backend: i32) -> Inquiry {
    Box::pin(async move {
        match within(address.timeout, is_active(&address, &target, backend)).await {
            Ok(true) => Finding::AtWork,
            Ok(false) => Finding::Lost("the answer to a statement is lost".to_owned()),
            // All its connections are in use, so it is there.
            Err(cause) if cause.is_full() => Finding::AtWork,
            Err(cause) => Finding::Lost(format!("{:#}", anyhow::Error::new(cause))),
        }
    })
}

async fn is_active(address: &Arc<Address>, target: &Target, backend: i32) -> Result<bool, ConnectError> {
    let (client, _link) = Link::open(address, target).await?;
    // Where activity is not shown, the process being there must do. One that waits for us to take its answer would have
    // been heard.
    let question = format!(
        "SELECT pid FROM pg_stat_activity WHERE pid = {backend} AND coalesce(state, '') NOT LIKE 'idle%' \
             AND coalesce(wait_event, '') <> 'ClientWrite'"
    );
    let found = client.simple_query(&question).await.map_err(ConnectError::Refused)?;
    Ok(found.iter().any(|message| matches!(message, SimpleQueryMessage::Row(_))))
}
