//! Checks whether player events can be recorded, without recording any.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use deadpool::managed::{Manager as _, PoolError, TimeoutType};
use tokio::sync::Mutex;
use tracing::error;

use crate::clock::Clock;
use crate::db::{self, Pool, outage};
use crate::models::player_event::record::record_player_events;
use crate::models::session_settings;

/// How long a result is reused, so that frequent checks do not load the database.
const RESULT_TTL: Duration = Duration::from_secs(5);
/// Timeout of a check.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(3);
/// Timeout for getting a pooled connection. Shorter than a check's timeout, so that a busy pool is not
/// mistaken for an unavailable database.
const POOL_TIMEOUT: Duration = Duration::from_secs(2);

/// The time and the result of the last check. Concurrent callers share one check.
#[derive(Default)]
pub(super) struct ReadinessProbe(Mutex<Option<(Instant, ProbeResult)>>);

#[derive(Clone, Copy)]
enum ProbeResult {
    Ready,
    /// The database responds, but recording fails.
    Failing,
    /// The database does not respond.
    Unavailable,
}

impl ReadinessProbe {
    /// Whether player events can be recorded. Fails if the database is unavailable.
    pub async fn is_ready(&self, pool: &Pool, clock: &Clock) -> anyhow::Result<bool> {
        let mut last = self.0.lock().await;
        let result = match *last {
            Some((at, result)) if at.elapsed() < RESULT_TTL => result,
            Some(_) | None => {
                let result =
                    probe_result(db::within(DATABASE_TIMEOUT, Box::pin(record_nothing(pool, clock))).await);
                *last = Some((Instant::now(), result));
                result
            }
        };
        match result {
            ProbeResult::Ready => Ok(true),
            ProbeResult::Failing => Ok(false),
            ProbeResult::Unavailable => Err(outage::Unavailable.into()),
        }
    }
}

fn probe_result(attempt: anyhow::Result<()>) -> ProbeResult {
    let Err(cause) = attempt else { return ProbeResult::Ready };
    let Some(cause) = outage::loggable_cause(cause) else { return ProbeResult::Unavailable };
    error!(cause, "Failed to run the statement that records player events");
    ProbeResult::Failing
}

/// Runs the statement that records events, without any events. It uses a new connection with the settings of
/// recording, because an existing one may still be able to do what a new one cannot. If the server has no free
/// connection slots, it uses a pooled connection, which recording would take over too.
async fn record_nothing(pool: &Pool, clock: &Clock) -> anyhow::Result<()> {
    match pool.manager().create().await {
        Ok(mut conn) => {
            session_settings::for_ingest(&mut conn).await?;
            record_player_events(&mut conn, &[], clock.now()).await?
        }
        Err(_) if pool.is_full() => match pool.get_within(POOL_TIMEOUT).await {
            Ok(mut conn) => record_player_events(&mut conn, &[], clock.now()).await?,
            // All connections are in use, so the database works.
            Err(PoolError::Timeout(TimeoutType::Wait)) => return Ok(()),
            Err(cause) => return Err(cause).context("No database connection"),
        },
        // Wrapped like an error of the pool, so that it is recognized as an outage.
        Err(cause) => return Err(PoolError::Backend(cause)).context("No new database connection"),
    };
    Ok(())
}
