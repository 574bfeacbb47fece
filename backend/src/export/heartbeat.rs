//! Records heartbeats while an export runs, so that it can be told from one whose process died.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::warn;

use crate::app::App;
use crate::db::outage;
use crate::models::export_audit::ExportAudit;

/// The time between heartbeats: a fraction of the time after which an export counts as abandoned.
const INTERVAL: Duration = Duration::from_secs(15);

/// Records heartbeats for the export with this audit id until the guard is dropped.
pub fn start(app: &App, audit: i64) -> DropGuard {
    let ended = CancellationToken::new();
    let (app, guard) = (app.clone(), ended.clone().drop_guard());
    tokio::spawn(async move {
        // Only the sleep is cancelled: cancelling a query would make its connection unusable.
        while ended.run_until_cancelled(sleep(INTERVAL)).await.is_some() {
            if let Err(error) = beat(&app, audit).await
                && let Some(cause) = outage::loggable_cause(error)
            {
                warn!(audit, cause, "Failed to record the heartbeat of an export");
            }
        }
    });
    guard
}

async fn beat(app: &App, audit: i64) -> anyhow::Result<()> {
    Ok(ExportAudit::record_heartbeat(&mut *app.pool.get().await?, audit, app.clock.now()).await?)
}
