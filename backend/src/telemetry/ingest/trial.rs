//! Tries whether player events can be recorded, without recording any.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use deadpool::managed::Manager as _;
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::db::{self, Pool};
use crate::telemetry::recorder::sent_events::record_sent_events;

/// How long what was found holds, so that whoever asks often costs the database nothing.
const FRESH: Duration = Duration::from_secs(5);
/// How long the database may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// What the last trial found. Of many who ask at once, one tries and the others wait for what it finds.
#[derive(Default)]
pub(super) struct Trial(Mutex<Option<Found>>);

struct Found {
    at: Instant,
    is_good: bool,
}

impl Trial {
    /// Whether player events can be recorded. An error is told to whoever found it, and to nobody else.
    pub async fn is_good(&self, pool: &Pool, clock: &Clock) -> anyhow::Result<bool> {
        let mut last = self.0.lock().await;
        if let Some(found) = last.as_ref().filter(|found| found.at.elapsed() < FRESH) {
            return Ok(found.is_good);
        }
        let tried = db::within(PATIENCE, record_nothing(pool, clock)).await;
        *last = Some(Found { at: Instant::now(), is_good: tried.is_ok() });
        tried.map(|()| true)
    }
}

/// Carries out the statement that records events, and so the triggers of their table, on a connection of its own: one
/// that is open already may still do what a new one cannot.
async fn record_nothing(pool: &Pool, clock: &Clock) -> anyhow::Result<()> {
    let mut conn = pool.manager().create().await.context("No new database connection")?;
    record_sent_events(&mut conn, &[], clock.now()).await?;
    Ok(())
}
