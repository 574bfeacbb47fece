//! Probes a silent server on another connection: is it still executing the statement?
//!
//! Behind a load balancer the probe may reach a different server, which knows nothing about the process. A
//! statement that is silent for the time limit then counts as lost. Such an address needs a host name that
//! always leads to the primary server, or a `connect_timeout` longer than the longest statement.

use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_postgres::SimpleQueryMessage;

use super::address::{Address, Target};
use super::connect_error::{ConnectError, within};
use super::link::Link;

/// The pause before a failed probe is repeated is the time limit divided by this.
const RETRY_PAUSE_DIVISOR: u32 = 2;

/// A probe without a response for this long counts as overdue.
const OVERDUE_AFTER: Duration = Duration::from_millis(500);

/// The result of a probe.
pub(super) enum ProbeResult {
    /// The server is executing the statement, as far as can be determined.
    Active,
    /// The server is up but rejected the probe, for this reason.
    Rejected(String),
    /// The response to the statement will not arrive, for this reason.
    Lost(String),
}

/// A probe in progress.
pub(super) type Probe = Pin<Box<dyn Future<Output = ProbeResult> + Send>>;

/// Starts to probe the server process `backend`.
///
/// A negative result is checked a second time after a pause: a server that is short of CPU time may not
/// accept a connection at once, and one that is waiting for the rest of a large statement looks idle. A probe
/// therefore takes at most twice the connection time limit, plus the pause.
pub(super) fn start(address: Arc<Address>, target: Target, backend: i32) -> Probe {
    Box::pin(async move {
        let probing = async {
            let result = probe_once(&address, &target, backend).await;
            if !matches!(result, ProbeResult::Lost(_)) {
                return result;
            }
            sleep(address.timeout / RETRY_PAUSE_DIVISOR).await;
            probe_once(&address, &target, backend).await
        };
        let marking_overdue = async {
            sleep(OVERDUE_AFTER).await;
            let _overdue = address.count_overdue_probe();
            pending().await
        };
        tokio::select! {
            result = probing => result,
            never = marking_overdue => never,
        }
    })
}

async fn probe_once(address: &Arc<Address>, target: &Target, backend: i32) -> ProbeResult {
    match within(address.timeout, is_active(address, target, backend)).await {
        Ok(true) => ProbeResult::Active,
        Ok(false) => ProbeResult::Lost("the response to a statement was lost".to_owned()),
        // All connection slots are in use, so the server is up.
        Err(cause) if cause.is_full() => ProbeResult::Active,
        Err(cause) => {
            let is_rejection = cause.is_rejection();
            let reason = format!("{:#}", anyhow::Error::new(cause));
            if is_rejection { ProbeResult::Rejected(reason) } else { ProbeResult::Lost(reason) }
        }
    }
}

async fn is_active(address: &Arc<Address>, target: &Target, backend: i32) -> Result<bool, ConnectError> {
    let (client, _link) = Link::open(address, target).await?;
    // Where the state is hidden from this role, the existence of the process must suffice. A process in
    // `ClientWrite` waits for us to read its response, which we would have received.
    let query = format!(
        "SELECT pid FROM pg_stat_activity WHERE pid = {backend} AND coalesce(state, '') NOT LIKE 'idle%' \
             AND coalesce(wait_event, '') <> 'ClientWrite'"
    );
    let result = client.simple_query(&query).await.map_err(ConnectError::Rejected)?;
    Ok(result.iter().any(|message| matches!(message, SimpleQueryMessage::Row(_))))
}
