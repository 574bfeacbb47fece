//! A feed of the status of the sync. Each process has one, which runs while it has subscribers.
//!
//! It re-reads the status on each notification from another process and every two seconds. It publishes at
//! most a few updates a second, and reads at most a twentieth of the time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use diesel_async::pooled_connection::deadpool::Object;
use futures_util::{Stream, StreamExt as _, stream};
use parking_lot::Mutex;
use tokio::sync::watch::{self, Receiver, Sender};
use tokio::time::{sleep, timeout};
use tracing::warn;

use super::status::Status;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Connection, Pool, outage};
use crate::models::sync_run::notification;

/// Minimum time between two updates.
const MIN_INTERVAL: Duration = Duration::from_millis(250);
/// Maximum time between two reads.
const MAX_INTERVAL: Duration = Duration::from_secs(2);
/// Pause between reads, as a multiple of how long the last read took.
const PAUSE_FACTOR: u32 = 20;
/// Pause before a retry after an error.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

type Latest = Option<Arc<Status>>;

/// A feed of the status of the sync. Cheap to clone.
#[derive(Clone)]
pub struct StatusFeed {
    pool: Pool,
    clock: Clock,
    config: Arc<Config>,
    /// `None` if there are no subscribers.
    sender: Arc<Mutex<Option<Sender<Latest>>>>,
}

impl StatusFeed {
    /// Creates a feed without subscribers.
    pub fn new(pool: Pool, clock: Clock, config: Arc<Config>) -> Self {
        Self { pool, clock, config, sender: Arc::default() }
    }

    /// Subscribes to the status. The stream yields the current status first, and then each change.
    pub fn subscribe(&self) -> impl Stream<Item = Arc<Status>> + Send + use<> {
        stream::unfold((self.receiver(), false), |(mut receiver, has_seen)| async move {
            loop {
                if has_seen || receiver.borrow().is_none() {
                    receiver.changed().await.ok()?;
                }
                let latest = receiver.borrow_and_update().clone();
                if let Some(status) = latest {
                    return Some((status, (receiver, true)));
                }
            }
        })
    }

    fn receiver(&self) -> Receiver<Latest> {
        let mut sender = self.sender.lock();
        match &*sender {
            Some(sender) => sender.subscribe(),
            None => {
                let (new, receiver) = watch::channel(None);
                *sender = Some(new);
                tokio::spawn(self.clone().run());
                receiver
            }
        }
    }

    /// Publishes the status until there are no subscribers.
    async fn run(self) {
        while self.has_subscribers() {
            // It succeeds when there are no subscribers. The next one starts a new task.
            let Err(cause) = self.publish_changes().await else { return };
            if let Some(cause) = outage::loggable_cause(cause) {
                warn!(cause, "Failed to read the status of the sync; retrying");
            }
            sleep(RETRY_INTERVAL).await;
        }
    }

    /// Whether there are subscribers. If not, lets the next one start a new task.
    fn has_subscribers(&self) -> bool {
        let mut sender = self.sender.lock();
        let has_subscribers = sender.as_ref().is_some_and(|sender| sender.receiver_count() > 0);
        if !has_subscribers {
            *sender = None;
        }
        has_subscribers
    }

    async fn publish_changes(&self) -> anyhow::Result<()> {
        // Taken out of the pool, because it keeps receiving notifications.
        let mut conn = Object::take(self.pool.get().await.context("No database connection")?);
        notification::listen(&mut conn).await?;
        while self.has_subscribers() {
            let began = Instant::now();
            let status = Status::read(&mut conn, &self.config.telemetry, self.clock.now()).await?;
            self.publish(status);
            sleep(MIN_INTERVAL.max(began.elapsed() * PAUSE_FACTOR)).await;
            self.wait_for_notification(&mut conn).await?;
        }
        Ok(())
    }

    fn publish(&self, status: Status) {
        if let Some(sender) = &*self.sender.lock() {
            sender.send_if_modified(|latest| {
                let has_changed = latest.as_deref() != Some(&status);
                if has_changed {
                    *latest = Some(Arc::new(status));
                }
                has_changed
            });
        }
    }

    async fn wait_for_notification(&self, conn: &mut Connection) -> anyhow::Result<()> {
        let mut notifications = std::pin::pin!(conn.notifications());
        if let Ok(first) = timeout(MAX_INTERVAL, notifications.next()).await {
            first.context("Lost the database connection")?;
            // The next read covers all notifications received so far.
            while let Ok(Some(_)) = timeout(Duration::ZERO, notifications.next()).await {}
        }
        Ok(())
    }
}
