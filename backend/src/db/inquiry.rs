//! Asks a server on another connection whether it is still at work for a connection that hears nothing.
//!
//! Behind a balancer that shares out connections among several servers, another one may be asked, which knows nothing of
//! the process: then a statement that says nothing for the time limit counts as lost. Such an address needs one name for
//! the server that takes changes, or a `connect_timeout` above the longest statement.

use std::pin::Pin;
use std::sync::Arc;

use tokio::time::sleep;
use tokio_postgres::SimpleQueryMessage;

use super::address::{Address, Target};
use super::connect_error::{ConnectError, within};
use super::link::Link;

/// The moment until a server that could not be asked is asked once more, as a part of the time limit.
const AGAIN: u32 = 2;

/// What came of it.
pub(super) enum Finding {
    /// The server works on the statement, as far as can be known.
    AtWork,
    /// The answer will not come any more, for this reason.
    Lost(String),
}

/// A question that is under way.
pub(super) type Inquiry = Pin<Box<dyn Future<Output = Finding> + Send>>;

/// Asks after the statement of a server process.
///
/// A server that cannot be asked is asked once more after a moment, since one that is short of processor time or of
/// connections may well be at work. So this takes twice as long as connecting may, and that moment.
pub(super) fn ask(address: Arc<Address>, target: Target, backend: i32) -> Inquiry {
    Box::pin(async move {
        let is_active = || within(address.timeout, is_active(&address, &target, backend));
        let mut found = is_active().await;
        if found.as_ref().is_err_and(|cause| !cause.shows_a_server()) {
            sleep(address.timeout / AGAIN).await;
            found = is_active().await;
        }
        match found {
            Ok(true) => Finding::AtWork,
            Ok(false) => Finding::Lost("the answer to a statement is lost".to_owned()),
            Err(cause) if cause.shows_a_server() => Finding::AtWork,
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
