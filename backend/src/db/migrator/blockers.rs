//! Who holds what a migration waits for.

use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::{Integer, Nullable, Text};
use diesel_async::RunQueryDsl as _;
use tokio::time::sleep;

use crate::db::Connection;

/// How often is looked while a migration is at work; some of its waits are short.
const POLL: Duration = Duration::from_millis(25);

/// Their statements are left out: what stands in them is not for a log.
const HOLDERS: &str = "\
    SELECT string_agg(format('process %s (%s, %s, transaction of %s s)', pid, \
        coalesce(nullif(application_name, ''), backend_type), coalesce(state, 'working'), \
        coalesce(extract(epoch FROM clock_timestamp() - xact_start)::bigint, 0)), ', ' ORDER BY pid) AS holders \
    FROM pg_stat_activity WHERE pid = ANY(pg_blocking_pids($1))";

/// Looks on, by a connection of its own, while another connection works.
pub struct Blockers {
    watching: Connection,
    process: i32,
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
    /// Of whatever this connection will wait for.
    pub async fn of(conn: &mut Connection, watching: Connection) -> anyhow::Result<Self> {
        let Process { pid } = diesel::sql_query("SELECT pg_backend_pid() AS pid").get_result(conn).await?;
        Ok(Self { watching, process: pid, last_seen: None })
    }

    /// Forgets who was seen.
    pub fn start(&mut self) {
        self.last_seen = None;
    }

    /// Who was in the way when somebody last was.
    pub fn last_seen(&self) -> String {
        self.last_seen.clone().unwrap_or_else(|| "nobody who was seen".to_owned())
    }

    /// Does the work, and looks who is in its way.
    pub async fn watch_during<T>(&mut self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = sleep(POLL) => self.look().await,
            }
        }
    }

    /// Whoever cannot look does not stop the work.
    async fn look(&mut self) {
        let found = diesel::sql_query(HOLDERS).bind::<Integer, _>(self.process);
        if let Ok(Found { holders: Some(holders) }) = found.get_result(&mut self.watching).await {
            self.last_seen = Some(holders);
        }
    }
}
