//! Tries whether player events can be recorded, without recording any.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use deadpool::managed::{Manager as _, PoolError, TimeoutType};
use tokio::sync::Mutex;
use tracing::error;

use crate::clock::Clock;
use crate::db::{self, Pool, outage};
use crate::telemetry::recorder::sent_events::record_sent_events;

/// How long what was found holds, so that whoever asks often costs the database nothing.
const FRESH: Duration = Duration::from_secs(5);
/// How long the database may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long to wait for a connection while all are in use: shorter, since that says nothing of the database.
const POOL_TIMEOUT: Duration = Duration::from_secs(2);

/// What the last trial found. Of many who ask at once, one tries and the others wait for what it finds.
#[derive(Default)]
pub(super) struct Trial(Mutex<Option<(Instant, Found)>>);

#[derive(Clone, Copy)]
enum Found {
    Good,
    /// The database answers and does not record.
    Refused,
    /// The database does not answer.
    Away,
}

impl Trial {
    /// Whether player events can be recorded; an error says that the database is away.
    pub async fn is_good(&self, pool: &Pool, clock: &Clock) -> anyhow::Result<bool> {
        let mut last = self.0.lock().await;
        let found = match *last {
            Some((at, found)) if at.elapsed() < FRESH => found,
            Some(_) | None => {
                let found = found(db::within(PATIENCE, record_nothing(pool, clock)).await);
                *last = Some((Instant::now(), found));
                found
            }
        };
        match found {
            Found::Good => Ok(true),
            Found::Refused => Ok(false),
            Found::Away => Err(outage::Unavailable.into()),
        }
    }
}

fn found(tried: anyhow::Result<()>) -> Found {
    let Err(cause) = tried else { return Found::Good };
    let Some(cause) = outage::loggable_cause(cause) else { return Found::Away };
    error!(cause, "Player events cannot be recorded");
    Found::Refused
}

/// Carries out the statement that records events, and so the triggers of their table, on a connection of its own: one
/// that is open already may still do what a new one cannot. Only if the server has no place left for another connection,
/// one of the pool's does, since events are recorded over those.
async fn record_nothing(pool: &Pool, clock: &Clock) -> anyhow::Result<()> {
    match pool.manager().create().await {
        Ok(mut conn) => record_sent_events(&mut conn, &[], clock.now()).await?,
        Err(_) if pool.is_full() => match pool.get_within(POOL_TIMEOUT).await {
            Ok(mut conn) => record_sent_events(&mut conn, &[], clock.now()).await?,
            // All are in use, so the database works.
            Err(PoolError::Timeout(TimeoutType::Wait)) => return Ok(()),
            Err(cause) => return Err(cause).context("No database connection"),
        },
        // As the pool says it, which is how an outage is recognized.
        Err(cause) => return Err(PoolError::Backend(cause)).context("No new database connection"),
    };
    Ok(())
}
