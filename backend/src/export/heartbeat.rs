//! Reports while an export is under way, so that its record is told from that of one whose process died.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::warn;

use crate::app::App;
use crate::db::outage;
use crate::models::export_audit::ExportAudit;

/// How often: several times before the record counts as abandoned.
const INTERVAL: Duration = Duration::from_secs(15);

/// Reports for the export with this record until the answer is dropped.
pub fn start(app: &App, audit: i64) -> DropGuard {
    let ended = CancellationToken::new();
    let (app, guard) = (app.clone(), ended.clone().drop_guard());
    tokio::spawn(async move {
        // A report is not broken off: its connection could not be used again.
        while ended.run_until_cancelled(sleep(INTERVAL)).await.is_some() {
            if let Err(error) = beat(&app, audit).await
                && let Some(cause) = outage::unexplained(error)
            {
                warn!(audit, cause, "An export could not report that it is under way");
            }
        }
    });
    guard
}

async fn beat(app: &App, audit: i64) -> anyhow::Result<()> {
    Ok(ExportAudit::beat(&mut *app.pool.get().await?, audit, app.clock.now()).await?)
}
