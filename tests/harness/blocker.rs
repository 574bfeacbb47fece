//! Sessions that hold locks, and waiting until others have reached them.

use std::time::Duration;

use tokio::time::error::Elapsed;
use tokio::time::{sleep, timeout};

use super::event_stream::MESSAGE_TIMEOUT;
use super::hub::Hub;

/// A session that holds a lock, at which others wait, until it is dropped.
pub struct Blocker(#[expect(dead_code, reason = "its drop releases the lock")] tokio_postgres::Client);

impl Blocker {
    /// Executes a statement that locks something.
    pub async fn new(hub: &Hub, statement: &str) -> Self {
        let client = hub.database.client().await;
        client.batch_execute(&format!("BEGIN; {statement}")).await.unwrap();
        Self(client)
    }

    /// Waits until a session waits for a lock.
    pub async fn is_reached(hub: &Hub) {
        // Not pg_locks, in which those who wait for a row name no database.
        let waiting = "SELECT count(*) AS waiting FROM pg_stat_activity \
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let reached = async {
            while hub.rows(waiting).await[0]["waiting"] == 0 {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(MESSAGE_TIMEOUT, reached).await.expect("a session reaches the lock");
    }
}

/// Waits until a query returns this number.
pub async fn wait_for(hub: &Hub, count: &str, expected: i64) -> Result<(), Elapsed> {
    let client = hub.database.client().await;
    timeout(MESSAGE_TIMEOUT, async {
        while client.query_one(count, &[]).await.unwrap().get::<_, i64>(0) != expected {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await
}
