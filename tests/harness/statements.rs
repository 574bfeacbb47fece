//! Listens to what the server asks of its database.

use std::sync::{Arc, Mutex};

use backend::db::Pool;
use diesel::connection::{Instrumentation, InstrumentationEvent};
use diesel_async::AsyncConnection as _;

/// The statements that a pool's connections were sent, but for the pool's own test of a connection.
#[derive(Clone, Default)]
pub struct Statements(Arc<Mutex<Vec<String>>>);

impl Statements {
    /// Listens to every connection of the pool from now on.
    pub async fn of(pool: &Pool) -> Self {
        let statements = Self::default();
        let mut held = Vec::new();
        for _ in 0..pool.status().max_size {
            let mut conn = pool.get().await.unwrap();
            conn.set_instrumentation(statements.clone());
            held.push(conn);
        }
        statements
    }

    /// What was heard since this was last asked.
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
