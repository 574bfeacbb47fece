//! How the process is told to end: by Ctrl-C, or by its supervisor.

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What the process was told.
#[derive(Debug, Clone, Default)]
pub(super) struct Stop {
    /// To end, in good order.
    pub told: CancellationToken,
    /// To end, and quickly.
    pub told_again: CancellationToken,
}

/// Listens from now on.
pub(super) fn stop() -> anyhow::Result<Stop> {
    let stop = Stop::default();
    let telling = stop.clone();
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    tokio::spawn(async move {
        for token in [telling.told, telling.told_again] {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            token.cancel();
        }
    });
    Ok(stop)
}

fn listen(kind: SignalKind) -> anyhow::Result<Signal> {
    signal(kind).context("Signals cannot be received")
}
