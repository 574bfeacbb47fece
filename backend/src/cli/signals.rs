//! Shutdown signals: SIGINT (Ctrl-C) and SIGTERM.

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The shutdown signals that the process has received.
#[derive(Debug, Clone, Default)]
pub(super) struct Shutdown {
    /// Cancelled by the first signal: shut down gracefully.
    pub requested: CancellationToken,
    /// Cancelled by the second signal: shut down at once.
    pub forced: CancellationToken,
}

/// Starts listening for shutdown signals.
pub(super) fn shutdown() -> anyhow::Result<Shutdown> {
    let shutdown = Shutdown::default();
    let tokens = shutdown.clone();
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    tokio::spawn(async move {
        for token in [tokens.requested, tokens.forced] {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            token.cancel();
        }
    });
    Ok(shutdown)
}

fn listen(kind: SignalKind) -> anyhow::Result<Signal> {
    signal(kind).context("Failed to listen for signals")
}
