//! Asks a server on another connection whether it is still at work for a connection that hears nothing.
//!
//! Behind a balancer that shares out connections among several servers, another one may be asked, which knows nothing of
//! the process: then a statement that says nothing for the time limit counts as lost. Such an address needs one name for
//! the server that takes changes, or a `connect_timeout` above the longest statement.

use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_postgres::SimpleQueryMessage;

use super::address::{Address, Target};
use super::connect_error::{ConnectError, within};
use super::link::Link;

/// The moment until a server that could not be asked is asked once more, as a part of the time limit.
const AGAIN: u32 = 2;

/// From when on an answer is so late that the database is in doubt.
const LATE: Duration = Duration::from_millis(500);

/// What came of it.
pub(super) enum Finding {
    /// The server works on the statement, as far as can be known.
    AtWork,
    /// The server is there and refuses the question, for this reason.
    Refused(String),
    /// The answer will not come any more, for this reason.
    Lost(String),
}

/// A question that is under way.
pub(super) type Inquiry = Pin<Box<dyn Future<Output = Finding> + Send>>;

/// Asks after the statement of a server process.
///
/// What speaks against the statement is asked once more after a moment: a server that is short of processor time cannot
/// be connected to at once, and one that waits for the rest of a large statement looks idle. So this takes twice as long
/// as connecting may, and that moment.
pub(super) fn ask(address: Arc<Address>, target: Target, backend: i32) -> Inquiry {
    Box::pin(async move {
        let asking = async {
            let first = ask_once(&address, &target, backend).await;
            if !matches!(first, Finding::Lost(_)) {
                return first;
            }
            sleep(address.timeout / AGAIN).await;
            ask_once(&address, &target, backend).await
        };
        let doubting = async {
            sleep(LATE).await;
            let _doubt = address.doubt();
            pending().await
        };
        tokio::select! {
            found = asking => found,
            never = doubting => never,
        }
    })
}

async fn ask_once(address: &Arc<Address>, target: &Target, backend: i32) -> Finding {
    match within(address.timeout, is_active(address, target, backend)).await {
        Ok(true) => Finding::AtWork,
        Ok(false) => Finding::Lost("the answer to a statement is lost".to_owned()),
        // All its connections are in use, so it is there.
        Err(cause) if cause.is_full() => Finding::AtWork,
        Err(cause) => {
            let is_refusal = cause.is_refusal();
            let why = format!("{:#}", anyhow::Error::new(cause));
            if is_refusal { Finding::Refused(why) } else { Finding::Lost(why) }
        }
    }
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
