//! The monthly partitions of `video_player_events`. An event can only be stored if its month has a partition.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Date, Nullable, Text, Timestamptz};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection as _};

use crate::db::Connection;
use crate::models::telemetry_delivery::EventPosition;

/// The comment that marks a partition as being dropped. It lets a later run continue an interrupted drop, and
/// protects partitions that an operator detached to keep them.
const BEING_DROPPED: &str = "Player events that dataporter retention is dropping.";

/// Creates the missing partitions for the months from `first` to `last`.
pub async fn ensure(conn: &mut Connection, first: NaiveDate, last: NaiveDate) -> QueryResult<()> {
    sql_query("SELECT ensure_player_event_partitions($1, $2)")
        .bind::<Date, _>(first)
        .bind::<Date, _>(last)
        .execute(conn)
        .await?;
    Ok(())
}

/// A range of time without a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    pub from: DateTime<Utc>,
    /// The end, exclusive.
    pub until: DateTime<Utc>,
}

/// The ranges of time without an attached partition: before the first partition, between two, and after the
/// last.
pub async fn gaps(conn: &mut Connection) -> QueryResult<Vec<Gap>> {
    #[derive(QueryableByName)]
    struct PartitionBounds {
        #[diesel(sql_type = Nullable<Timestamptz>)]
        from: Option<DateTime<Utc>>,
        #[diesel(sql_type = Nullable<Timestamptz>)]
        until: Option<DateTime<Utc>>,
    }
    let partitions: Vec<PartitionBounds> = sql_query(
        r#"SELECT (regexp_match(bounds, 'FROM \(''([^'']+)''\)'))[1]::timestamptz AS "from",
               (regexp_match(bounds, 'TO \(''([^'']+)''\)'))[1]::timestamptz AS until
           FROM pg_inherits JOIN pg_class ON oid = inhrelid, pg_get_expr(relpartbound, oid) AS bounds
           WHERE inhparent = 'video_player_events'::regclass AND NOT inhdetachpending
           ORDER BY 1 NULLS FIRST"#,
    )
    .load(conn)
    .await?;
    let mut gaps = Vec::new();
    let mut from = EventPosition::START.recorded_at;
    for PartitionBounds { from: start, until } in partitions {
        // A bound that is not a time, such as MINVALUE, does not limit the partition.
        if let Some(start) = start.filter(|start| *start > from) {
            gaps.push(Gap { from, until: start });
        }
        from = from.max(until.unwrap_or(EventPosition::END.recorded_at));
    }
    if from < EventPosition::END.recorded_at {
        gaps.push(Gap { from, until: EventPosition::END.recorded_at });
    }
    Ok(gaps)
}

/// The partition of a month that retention may drop.
#[derive(Clone, Debug, QueryableByName)]
pub struct OldMonth {
    /// The quoted name of the table.
    #[diesel(sql_type = Text)]
    pub table_name: String,
    /// The month, such as `2026-03`.
    #[diesel(sql_type = Text)]
    pub month: String,
    /// The size on disk, indexes included.
    #[diesel(sql_type = BigInt)]
    pub bytes: i64,
    /// Whether it is a partition of `video_player_events`.
    #[diesel(sql_type = Bool)]
    is_attached: bool,
    /// Whether a concurrent detach was started but not finished.
    #[diesel(sql_type = Bool)]
    is_detaching: bool,
}

impl OldMonth {
    /// The months that ended by this day, oldest first. Includes detached partitions of interrupted drops.
    pub async fn until(conn: &mut Connection, day: NaiveDate) -> QueryResult<Vec<Self>> {
        sql_query(
            r#"SELECT quote_ident(relname) AS table_name, substr(relname, 22, 4) || '-' || substr(relname, 27, 2) AS month,
                   pg_total_relation_size(month.oid) AS bytes, inhrelid IS NOT NULL AS is_attached,
                   coalesce(inhdetachpending, false) AS is_detaching
               FROM pg_class AS month LEFT JOIN pg_inherits ON inhrelid = month.oid
               WHERE relkind = 'r'
                   AND relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'video_player_events'::regclass)
                   AND relname ~ '^video_player_events_y\d{4}m\d{2}$'
                   AND to_date(substr(relname, 21), '"y"YYYY"m"MM') + interval '1 month' <= $1
                   AND (inhparent = 'video_player_events'::regclass
                       OR inhrelid IS NULL AND obj_description(month.oid, 'pg_class') = $2)
               ORDER BY relname"#,
        )
        .bind::<Date, _>(day)
        .bind::<Text, _>(BEING_DROPPED)
        .load(conn)
        .await
    }

    /// The number of events in it.
    pub async fn count(&self, conn: &mut Connection) -> QueryResult<i64> {
        #[derive(QueryableByName)]
        struct CountRow {
            #[diesel(sql_type = BigInt)]
            count: i64,
        }
        let row: CountRow =
            sql_query(format!("SELECT count(*) FROM {}", self.table_name)).get_result(conn).await?;
        Ok(row.count)
    }

    /// Detaches the partition concurrently, which does not block inserts or queries. It waits for the queries
    /// that are in progress.
    pub async fn detach(&self, conn: &mut Connection) -> QueryResult<()> {
        let Self { table_name, is_attached, is_detaching, .. } = self;
        let how = match (is_attached, is_detaching) {
            (false, _) => return Ok(()),
            (true, false) => "CONCURRENTLY",
            (true, true) => "FINALIZE",
        };
        conn.batch_execute(&format!("COMMENT ON TABLE {table_name} IS '{BEING_DROPPED}'")).await?;
        conn.batch_execute(&format!("ALTER TABLE video_player_events DETACH PARTITION {table_name} {how}"))
            .await
    }

    /// Drops the detached partition.
    pub async fn drop(&self, conn: &mut Connection) -> QueryResult<()> {
        conn.batch_execute(&format!("DROP TABLE {}", self.table_name)).await
    }
}

/// Removes the statement timeout of this connection, and sets a lock timeout of 30 seconds.
pub async fn set_long_timeouts(conn: &mut Connection) -> QueryResult<()> {
    conn.batch_execute("SET statement_timeout = 0; SET lock_timeout = '30s'").await
}
