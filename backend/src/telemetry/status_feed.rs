//! Watches how the sync stands, once for all in this process who want to know, and only while somebody does.
//!
//! Word of runs in other processes comes by [`news`]; what comes in by the players is looked for every other second.
//! However fast a run is, nobody is told more than a few times a second, and looking takes a twentieth of the time at
//! most.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use diesel_async::pooled_connection::deadpool::Object;
use futures_util::{Stream, StreamExt as _, stream};
use tokio::sync::watch::{self, Receiver, Sender};
use tokio::time::{sleep, timeout};
use tracing::warn;

use super::news;
use super::status::Status;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Connection, Pool, outage};
use crate::unpoisoned;

/// Nobody is told more often.
const LEAST: Duration = Duration::from_millis(250);
/// Nobody waits longer to be told.
const MOST: Duration = Duration::from_secs(2);
/// Looking again waits so many times as long as looking took.
const SPARED: u32 = 20;
/// When to try again after the database was lost.
const LOST: Duration = Duration::from_secs(1);

type Told = Option<Arc<Status>>;

/// Who wants to know how the sync stands asks here; cheap to clone.
#[derive(Clone)]
pub struct Watch {
    pool: Pool,
    clock: Clock,
    config: Arc<Config>,
    /// There while somebody watches.
    sender: Arc<Mutex<Option<Sender<Told>>>>,
}

impl Watch {
    /// Nobody watches yet.
    pub fn new(pool: Pool, clock: Clock, config: Arc<Config>) -> Self {
        Self { pool, clock, config, sender: Arc::default() }
    }

    /// How the sync stands, and then each time that it stands otherwise.
    pub fn statuses(&self) -> impl Stream<Item = Arc<Status>> + Send + use<> {
        stream::unfold((self.receiver(), false), |(mut receiver, is_told)| async move {
            loop {
                if is_told || receiver.borrow().is_none() {
                    receiver.changed().await.ok()?;
                }
                let told = receiver.borrow_and_update().clone();
                if let Some(status) = told {
                    return Some((status, (receiver, true)));
                }
            }
        })
    }

    fn receiver(&self) -> Receiver<Told> {
        let mut sender = unpoisoned::lock(&self.sender);
        match &*sender {
            Some(sender) => sender.subscribe(),
            None => {
                let (new, receiver) = watch::channel(None);
                *sender = Some(new);
                tokio::spawn(self.clone().work());
                receiver
            }
        }
    }

    /// Looks until nobody watches any more.
    async fn work(self) {
        while self.is_watched() {
            // Nobody watched any more; whoever came since has begun anew.
            let Err(cause) = self.look_on().await else { return };
            if let Some(cause) = outage::unexplained(cause) {
                warn!(cause, "How the sync stands cannot be seen; it is tried again");
            }
            sleep(LOST).await;
        }
    }

    /// Says whether anybody watches; where nobody does, whoever comes next begins anew.
    fn is_watched(&self) -> bool {
        let mut sender = unpoisoned::lock(&self.sender);
        let is_watched = sender.as_ref().is_some_and(|sender| sender.receiver_count() > 0);
        if !is_watched {
            *sender = None;
        }
        is_watched
    }

    async fn look_on(&self) -> anyhow::Result<()> {
        // Closed in the end rather than given back: nobody else should hear the news on it.
        let mut conn = Object::take(self.pool.get().await.context("No database connection")?);
        news::listen(&mut conn).await?;
        while self.is_watched() {
            let began = Instant::now();
            let status = Status::read(&mut conn, &self.config.telemetry, self.clock.now()).await?;
            self.tell(status);
            sleep(LEAST.max(began.elapsed() * SPARED)).await;
            self.wait_for_news(&mut conn).await?;
        }
        Ok(())
    }

    fn tell(&self, status: Status) {
        if let Some(sender) = &*unpoisoned::lock(&self.sender) {
            sender.send_if_modified(|told| {
                let is_new = told.as_deref() != Some(&status);
                if is_new {
                    *told = Some(Arc::new(status));
                }
                is_new
            });
        }
    }

    async fn wait_for_news(&self, conn: &mut Connection) -> anyhow::Result<()> {
        let mut heard = std::pin::pin!(conn.notifications());
        if let Ok(first) = timeout(MOST, heard.next()).await {
            first.context("The connection is lost")?;
            // What was said meanwhile is seen by the same look.
            while let Ok(Some(_)) = timeout(Duration::ZERO, heard.next()).await {}
        }
        Ok(())
    }
}
