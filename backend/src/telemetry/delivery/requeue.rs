//! Requeues dead, expired and skipped deliveries in batches. Continues in the background if that takes longer
//! than the caller waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing::{error, info};

use super::{Sync, connection};
use crate::error::Result;
use crate::models::sync_run::notification;
use crate::models::telemetry_delivery::{RequeuePosition, RequeueRequest, requeue};

impl Sync {
    /// Requeues deliveries. Returns their number when all are requeued, or the number so far after
    /// `max_wait`. In that case it continues until this process is stopped.
    pub async fn requeue(&self, filter: RequeueRequest, max_wait: Duration) -> Result<usize> {
        let count = Arc::new(AtomicUsize::new(0));
        let (notify_end, ended) = oneshot::channel();
        let (sync, shared_count) = (self.clone(), Arc::clone(&count));
        self.runs.spawn(async move {
            let result = sync.requeue_all(&filter, &shared_count).await;
            if let Err(Err(cause)) = notify_end.send(result) {
                error!(code = cause.code().as_str(), "Failed to requeue all deliveries");
            }
        });
        match timeout(max_wait, ended).await {
            Ok(result) => result.context("The requeue task panicked")??,
            Err(_) => info!("A requeue continues in the background"),
        }
        Ok(count.load(Ordering::Relaxed))
    }

    async fn requeue_all(&self, filter: &RequeueRequest, count: &AtomicUsize) -> Result<()> {
        let conn = &mut connection::open(&self.pool).await?;
        let mut after = Some(RequeuePosition::START);
        while let Some(position) = after.filter(|_| !self.stop.is_cancelled()) {
            let (requeued, next) = requeue(conn, filter, position).await?;
            count.fetch_add(requeued, Ordering::Relaxed);
            after = next;
        }
        notification::notify(conn).await?;
        Ok(())
    }
}
