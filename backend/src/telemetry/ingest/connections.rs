//! The connections that events are recorded on: taken out of the pool and kept, set for one statement over and over.

use std::sync::Mutex;

use diesel_async::SimpleAsyncConnection as _;
use diesel_async::pooled_connection::deadpool::Object;

use crate::db::{self, Connection, Pool};
use crate::error::Result;
use crate::unpoisoned;

/// One plan serves every group, and every look at a foreign key that new progress costs: planning each anew, as the pool's
/// other users need it, takes longer than the work.
const SETTINGS: &str = "SET plan_cache_mode = force_generic_plan";

/// Connections that nobody uses now.
#[derive(Default)]
pub struct Connections(Mutex<Vec<Connection>>);

impl Connections {
    /// One that was kept, or else a new one.
    pub async fn take(&self, pool: &Pool) -> Result<Connection> {
        while let Some(mut kept) = self.pop() {
            match db::check(&mut kept).await {
                Ok(()) => return Ok(kept),
                // Where one is dead, so are the others, and asking each takes time.
                Err(_) => self.drop_all(),
            }
        }
        let mut conn = Object::take(pool.get().await?);
        conn.batch_execute(SETTINGS).await?;
        Ok(conn)
    }

    /// Keeps one for the next worker.
    pub fn keep(&self, conn: Connection) {
        unpoisoned::lock(&self.0).push(conn);
    }

    fn drop_all(&self) {
        unpoisoned::lock(&self.0).clear();
    }

    /// Holds the lock no longer than that: whoever takes a connection may have to wait for it.
    fn pop(&self) -> Option<Connection> {
        unpoisoned::lock(&self.0).pop()
    }
}
