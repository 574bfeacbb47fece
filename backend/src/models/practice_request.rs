//! Students' requests for a practice of a lesson that has none planned.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Timestamptz};
use diesel_async::RunQueryDsl;

use crate::db::Connection;

/// Marks the pending requests of lessons as escalated at these times. Returns their number.
pub async fn escalate(conn: &mut Connection, lessons: &BTreeMap<i64, DateTime<Utc>>) -> QueryResult<usize> {
    let (lessons, times): (Vec<i64>, Vec<DateTime<Utc>>) = lessons.iter().unzip();
    sql_query(
        "UPDATE discord_practice_requests AS request SET status = 'escalated', escalated_at = escalated.at \
         FROM unnest($1, $2) AS escalated (lesson_id, at) \
         WHERE request.lesson_id = escalated.lesson_id AND request.status = 'pending'",
    )
    .bind::<Array<BigInt>, _>(lessons)
    .bind::<Array<Timestamptz>, _>(times)
    .execute(conn)
    .await
}
