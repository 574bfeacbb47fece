//! What is pending of events that are not there any more, whatever removed them, and events that nobody noted as pending.
//! Triggers see to both as rows change; this finds what they did not see: months that were detached or dropped, and
//! changes with triggers disabled.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Nullable, Timestamptz};
use diesel_async::{AsyncConnection as _, RunQueryDsl, SimpleAsyncConnection as _};
use domain::Driver;

use super::EventPosition;
use super::record::RECORD_LOCK;
use crate::db::Connection;
use crate::models::player_event_month::Gap;

/// So many rows are deleted at a time, so that nobody waits long.
const SLICE: i64 = 5_000;
/// So many of the oldest rows are compared with their events.
const OLDEST: i64 = 1_000;
/// So many events are looked at for whether they are noted as pending.
const LOOKED_AT: i64 = 20_000;

/// Whether the event of a row of `slice` is gone: a month may be made while a gap is looked through.
const NO_EVENT: &str = "NOT EXISTS (SELECT FROM video_player_events AS event \
    WHERE event.recorded_at = slice.recorded_at AND event.id = slice.event_id OFFSET 0)";

/// Where a pending row can be.
const TABLES: [Pending; 3] =
    [Pending::WithoutRecord, Pending::OnRecord(Driver::Ga4), Pending::OnRecord(Driver::Mixpanel)];

#[derive(Clone, Copy)]
enum Pending {
    WithoutRecord,
    OnRecord(Driver),
}

impl Pending {
    /// The table and the condition by which an index in the order of events finds its rows.
    fn rows(self) -> (&'static str, String) {
        match self {
            Self::WithoutRecord => ("telemetry_pending", "true".to_owned()),
            Self::OnRecord(driver) => (
                "telemetry_deliveries",
                format!("state IN ('pending', 'retry') AND driver = '{}'", driver.key()),
            ),
        }
    }
}

/// Forgets a slice of what is pending of events in a range that no month holds; answers with the number of rows.
pub async fn forget_gap(conn: &mut Connection, gap: Gap) -> QueryResult<usize> {
    let mut forgotten = 0;
    for pending in TABLES {
        let (table, condition) = pending.rows();
        let delete = format!(
            "DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT place FROM ( \
                 SELECT ctid AS place, recorded_at, event_id FROM {table} \
                 WHERE {condition} AND recorded_at >= $1 AND recorded_at < $2 ORDER BY recorded_at, event_id LIMIT $3) AS slice \
                 WHERE {NO_EVENT})) AND {condition}",
        );
        forgotten += conn
            .transaction(async |conn| {
                conn.batch_execute(RECORD_LOCK).await?;
                sql_query(delete)
                    .bind::<Timestamptz, _>(gap.from)
                    .bind::<Timestamptz, _>(gap.until)
                    .bind::<BigInt, _>(SLICE)
                    .execute(conn)
                    .await
            })
            .await?;
    }
    Ok(forgotten)
}

/// Forgets what is pending of events that are gone, among the oldest rows from this moment on; answers with the number of
/// rows. As long as that is not zero there may be more.
pub async fn forget_oldest_orphans(conn: &mut Connection, from: DateTime<Utc>) -> QueryResult<usize> {
    let mut forgotten = 0;
    for pending in TABLES {
        let (table, condition) = pending.rows();
        let delete = format!(
            "DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT place FROM ( \
                 SELECT ctid AS place, recorded_at, event_id FROM {table} WHERE {condition} AND recorded_at >= $1 \
                 ORDER BY recorded_at, event_id LIMIT $2) AS slice \
                 WHERE {NO_EVENT})) AND {condition}",
        );
        forgotten += conn
            .transaction(async |conn| {
                conn.batch_execute(RECORD_LOCK).await?;
                sql_query(delete).bind::<Timestamptz, _>(from).bind::<BigInt, _>(OLDEST).execute(conn).await
            })
            .await?;
    }
    Ok(forgotten)
}

#[derive(QueryableByName)]
struct Slice {
    #[diesel(sql_type = BigInt)]
    noted: i64,
    #[diesel(sql_type = BigInt)]
    seen: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    recorded_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<BigInt>)]
    id: Option<i64>,
}

/// Notes as pending those of the next events that are not synced and that neither stand in `telemetry_pending` nor have a
/// record. Answers with how many these are, and with where to go on, unless there is nothing more.
pub async fn note_forgotten(
    conn: &mut Connection,
    after: EventPosition,
) -> QueryResult<(i64, Option<EventPosition>)> {
    let Slice { noted, seen, recorded_at, id } = sql_query(
        "WITH slice AS (SELECT recorded_at, id, synced_at FROM video_player_events \
             WHERE recorded_at >= $1 AND (recorded_at, id) > ($1, $2) ORDER BY recorded_at, id LIMIT $3), \
         noted AS (INSERT INTO telemetry_pending (recorded_at, event_id) SELECT recorded_at, id FROM slice \
             WHERE synced_at IS NULL \
                 AND NOT EXISTS (SELECT FROM telemetry_deliveries AS record WHERE record.event_id = slice.id OFFSET 0) \
             ON CONFLICT DO NOTHING RETURNING event_id), \
         last AS (SELECT recorded_at, id FROM slice ORDER BY recorded_at DESC, id DESC LIMIT 1) \
         SELECT (SELECT count(*) FROM noted) AS noted, (SELECT count(*) FROM slice) AS seen, \
             (SELECT recorded_at FROM last) AS recorded_at, (SELECT id FROM last) AS id",
    )
    .bind::<Timestamptz, _>(after.recorded_at)
    .bind::<BigInt, _>(after.id)
    .bind::<BigInt, _>(LOOKED_AT)
    .get_result(conn)
    .await?;
    let end = recorded_at.zip(id).map(|(recorded_at, id)| EventPosition { recorded_at, id });
    Ok((noted, end.filter(|_| seen == LOOKED_AT)))
}

/// Forgets every delivery of a slice of the events of a month that is not attached any more, in whatever state. Answers
/// with the number of events, and with where the next slice begins, if there is one.
pub async fn forget_month(
    conn: &mut Connection,
    month: &str,
    after: EventPosition,
) -> QueryResult<(i64, Option<EventPosition>)> {
    let forget = format!(
        "WITH slice AS (SELECT recorded_at, id FROM {month} WHERE (recorded_at, id) > ($1, $2) \
             ORDER BY recorded_at, id LIMIT $3), \
         delivery AS (DELETE FROM telemetry_deliveries USING slice WHERE event_id = id), \
         pending AS (DELETE FROM telemetry_pending AS pending USING slice \
             WHERE pending.recorded_at = slice.recorded_at AND pending.event_id = slice.id), \
         last AS (SELECT recorded_at, id FROM slice ORDER BY recorded_at DESC, id DESC LIMIT 1) \
         SELECT 0::bigint AS noted, (SELECT count(*) FROM slice) AS seen, \
             (SELECT recorded_at FROM last) AS recorded_at, (SELECT id FROM last) AS id",
    );
    let Slice { noted: _, seen, recorded_at, id } = conn
        .transaction(async |conn| {
            conn.batch_execute(RECORD_LOCK).await?;
            sql_query(forget)
                .bind::<Timestamptz, _>(after.recorded_at)
                .bind::<BigInt, _>(after.id)
                .bind::<BigInt, _>(SLICE)
                .get_result(conn)
                .await
        })
        .await?;
    let end = recorded_at.zip(id).map(|(recorded_at, id)| EventPosition { recorded_at, id });
    Ok((seen, end.filter(|_| seen == SLICE)))
}
