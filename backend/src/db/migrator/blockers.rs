//! Finds the sessions that hold the locks a migration waits for.

use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::{Integer, Nullable, Text};
use diesel_async::RunQueryDsl as _;
use tokio::time::sleep;

use crate::db::Connection;

/// How often to check while a migration runs. Some of its waits are short.
const POLL_INTERVAL: Duration = Duration::from_millis(25);

/// Their statements are left out, because a statement may contain data that must not be logged.
const FIND_HOLDERS: &str = "\
    SELECT string_agg(format('process %s (%s, %s, transaction of %s s)', pid, \
        coalesce(nullif(application_name, ''), backend_type), coalesce(state, 'working'), \
        coalesce(extract(epoch FROM clock_timestamp() - xact_start)::bigint, 0)), ', ' ORDER BY pid) AS holders \
    FROM pg_stat_activity WHERE pid = ANY(pg_blocking_pids($1))";

/// Watches one connection from another.
pub struct Blockers {
    observer_conn: Connection,
    pid: i32,
    last_seen: Option<String>,
}

#[derive(QueryableByName)]
struct Process {
    #[diesel(sql_type = Integer)]
    pid: i32,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Nullable<Text>)]
    holders: Option<String>,
}

impl Blockers {
    /// Watches `conn`.
    pub async fn for_conn(conn: &mut Connection, observer_conn: Connection) -> anyhow::Result<Self> {
        let Process { pid } = diesel::sql_query("SELECT pg_backend_pid() AS pid").get_result(conn).await?;
        Ok(Self { observer_conn, pid, last_seen: None })
    }

    /// Forgets the sessions seen so far.
    pub fn reset(&mut self) {
        self.last_seen = None;
    }

    /// The sessions that blocked the migration when it was last blocked.
    pub fn last_seen(&self) -> String {
        self.last_seen.clone().unwrap_or_else(|| "an unknown session".to_owned())
    }

    /// Executes `work` and watches for sessions that block it.
    pub async fn watch_during<T>(&mut self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                result = &mut work => return result,
                () = sleep(POLL_INTERVAL) => self.poll().await,
            }
        }
    }

    /// A failed check does not stop the work.
    async fn poll(&mut self) {
        let query = diesel::sql_query(FIND_HOLDERS).bind::<Integer, _>(self.pid);
        if let Ok(Found { holders: Some(holders) }) = query.get_result(&mut self.observer_conn).await {
            self.last_seen = Some(holders);
        }
    }
}
