//! The connections that events are recorded on: taken out of the pool and kept, set for one statement over and over.

use std::sync::{Mutex, PoisonError};

use diesel_async::SimpleAsyncConnection as _;
use diesel_async::pooled_connection::PoolableConnection as _;
use diesel_async::pooled_connection::deadpool::Object;

use crate::db::{Connection, Pool};
use crate::error::Result;

/// One plan serves every group, and every look at a foreign key that a row costs: planning each anew, as the pool's
/// other users need it, takes longer than the work.
const SETTINGS: &str = "SET plan_cache_mode = force_generic_plan";

/// Connections that nobody uses now.
#[derive(Default)]
pub struct Connections(Mutex<Vec<Connection>>);

impl Connections {
    /// One that was kept, or else a new one.
    pub async fn take(&self, pool: &Pool) -> Result<Connection> {
        while let Some(mut kept) = self.kept().pop() {
            if !kept.is_broken() {
                return Ok(kept);
            }
        }
        let mut conn = Object::take(pool.get().await?);
        conn.batch_execute(SETTINGS).await?;
        Ok(conn)
    }

    /// Keeps one for the next worker.
    pub fn keep(&self, conn: Connection) {
        self.kept().push(conn);
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        // A list is whole at every moment, so a panic elsewhere leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
