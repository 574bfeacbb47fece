//! The connections for recording events. They are taken out of the pool and kept, with settings for running
//! one statement repeatedly.

use diesel_async::pooled_connection::deadpool::Object;
use parking_lot::Mutex;

use crate::db::{self, Connection, Pool};
use crate::error::Result;
use crate::models::session_settings;

/// Connections that no worker is using.
#[derive(Default)]
pub struct IdleConnections(Mutex<Vec<Connection>>);

impl IdleConnections {
    /// Takes an idle connection, or opens one.
    pub async fn take(&self, pool: &Pool) -> Result<Connection> {
        while let Some(mut conn) = self.pop() {
            match db::check(&mut conn).await {
                Ok(()) => return Ok(conn),
                // If one connection is lost, the others probably are too, and checking each takes time.
                Err(_) => self.drop_all(),
            }
        }
        let mut conn = Object::take(pool.get().await?);
        session_settings::for_ingest(&mut conn).await?;
        Ok(conn)
    }

    /// Keeps a connection for the next worker.
    pub fn keep(&self, conn: Connection) {
        self.0.lock().push(conn);
    }

    fn drop_all(&self) {
        self.0.lock().clear();
    }

    /// Releases the mutex before the connection is checked.
    fn pop(&self) -> Option<Connection> {
        self.0.lock().pop()
    }
}
