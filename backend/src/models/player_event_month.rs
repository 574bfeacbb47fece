//! The monthly partitions of `video_player_events`: no event can be stored in a month that has none.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Date, Nullable, Text, Timestamptz};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection as _};

use crate::db::Connection;
use crate::models::telemetry_delivery::EventPosition;

/// What the comment of a month says from when on it is being dropped, so that an interrupted drop is gone on with, and a
/// month that somebody detached to keep it is left alone.
const BEING_DROPPED: &str = "Player events that dataporter retention is dropping.";

/// Makes the months from one day to another, where they are missing.
pub async fn ensure(conn: &mut Connection, first: NaiveDate, last: NaiveDate) -> QueryResult<()> {
    sql_query("SELECT ensure_player_event_partitions($1, $2)")
        .bind::<Date, _>(first)
        .bind::<Date, _>(last)
        .execute(conn)
        .await?;
    Ok(())
}

/// A range of time that no month holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Where it begins.
    pub from: DateTime<Utc>,
    /// Where it ends, itself not in it.
    pub until: DateTime<Utc>,
}

/// The ranges of time that no attached month holds: before the first, between them, and after the last.
pub async fn gaps(conn: &mut Connection) -> QueryResult<Vec<Gap>> {
    #[derive(QueryableByName)]
    struct Held {
        #[diesel(sql_type = Nullable<Timestamptz>)]
        from: Option<DateTime<Utc>>,
        #[diesel(sql_type = Nullable<Timestamptz>)]
        until: Option<DateTime<Utc>>,
    }
    let held: Vec<Held> = sql_query(
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
    for Held { from: begins, until } in held {
        // A bound that is no moment is no bound.
        if let Some(begins) = begins.filter(|begins| *begins > from) {
            gaps.push(Gap { from, until: begins });
        }
        from = from.max(until.unwrap_or(EventPosition::END.recorded_at));
    }
    if from < EventPosition::END.recorded_at {
        gaps.push(Gap { from, until: EventPosition::END.recorded_at });
    }
    Ok(gaps)
}

/// A month that retention may drop.
#[derive(Clone, Debug, QueryableByName)]
pub struct OldMonth {
    /// Its table's name, quoted.
    #[diesel(sql_type = Text)]
    pub table_name: String,
    /// Which month, as `2026-03`.
    #[diesel(sql_type = Text)]
    pub month: String,
    /// The room that it takes, with its indexes.
    #[diesel(sql_type = BigInt)]
    pub bytes: i64,
    /// Whether events are still read from it.
    #[diesel(sql_type = Bool)]
    is_attached: bool,
    /// Whether detaching was begun and not finished.
    #[diesel(sql_type = Bool)]
    is_detaching: bool,
}

impl OldMonth {
    /// The months that ended by this day, the oldest first; and what an interrupted drop left.
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

    /// How many events it has.
    pub async fn count(&self, conn: &mut Connection) -> QueryResult<i64> {
        #[derive(QueryableByName)]
        struct Counted {
            #[diesel(sql_type = BigInt)]
            count: i64,
        }
        let counted: Counted =
            sql_query(format!("SELECT count(*) FROM {}", self.table_name)).get_result(conn).await?;
        Ok(counted.count)
    }

    /// Takes it out of the table of events, which holds up neither who records nor who reads; it waits for those who read
    /// at the moment.
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

    /// Drops it, once it is detached.
    pub async fn drop(&self, conn: &mut Connection) -> QueryResult<()> {
        conn.batch_execute(&format!("DROP TABLE {}", self.table_name)).await
    }
}

/// Statements of this connection may take as long as they need, but wait for nobody's lock for long.
pub async fn be_patient(conn: &mut Connection) -> QueryResult<()> {
    conn.batch_execute("SET statement_timeout = 0; SET lock_timeout = '30s'").await
}
