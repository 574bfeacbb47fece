//! Records the statements that the server sends to its database.

use std::sync::{Arc, Mutex};

use backend::db::Pool;
use diesel::connection::{Instrumentation, InstrumentationEvent};
use diesel_async::AsyncConnection as _;

/// The statements sent over a pool's connections, except for the pool's own health checks.
#[derive(Clone, Default)]
pub struct Statements(Arc<Mutex<Vec<String>>>);

impl Statements {
    /// Records the statements of every connection of the pool from now on.
    pub async fn of(pool: &Pool) -> Self {
        let statements = Self::default();
        let mut conns = Vec::new();
        for _ in 0..pool.status().max_size {
            let mut conn = pool.get().await.unwrap();
            conn.set_instrumentation(statements.clone());
            conns.push(conn);
        }
        statements
    }

    /// The statements since the last call.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Instrumentation for Statements {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            let query = query.to_string();
            if !query.starts_with("SELECT 1") {
                self.0.lock().unwrap().push(query);
            }
        }
    }
}
