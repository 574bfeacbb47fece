//! Puts back what was given up or skipped, however much that is: in slices, and on its own when it takes longer than
//! whoever asked waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing::{error, info};

use super::{Sync, connection};
use crate::error::Result;
use crate::models::telemetry_delivery::{Requeue, RequeuePlace, requeue};
use crate::telemetry::news;

impl Sync {
    /// Puts back what was given up or skipped. Answers with the number of deliveries when all are put back, or after so
    /// long with how many these are by then; it goes on, until this process is told to end.
    pub async fn requeue(&self, what: Requeue, patience: Duration) -> Result<usize> {
        let count = Arc::new(AtomicUsize::new(0));
        let (tell, ended) = oneshot::channel();
        let (sync, counted) = (self.clone(), Arc::clone(&count));
        self.runs.spawn(async move {
            let done = sync.requeue_all(&what, &counted).await;
            if let Err(Err(cause)) = tell.send(done) {
                error!(code = cause.code().as_str(), "Deliveries could not all be requeued");
            }
        });
        match timeout(patience, ended).await {
            Ok(done) => done.context("A requeue broke down")??,
            Err(_) => info!("A requeue goes on after its answer"),
        }
        Ok(count.load(Ordering::Relaxed))
    }

    async fn requeue_all(&self, what: &Requeue, count: &AtomicUsize) -> Result<()> {
        let conn = &mut connection::open(&self.pool).await?;
        let mut place = Some(RequeuePlace::START);
        while let Some(from) = place.filter(|_| !self.stop.is_cancelled()) {
            let (requeued, next) = requeue(conn, what, from).await?;
            count.fetch_add(requeued, Ordering::Relaxed);
            place = next;
        }
        news::tell(conn).await?;
        Ok(())
    }
}
