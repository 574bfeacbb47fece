//! Erasing what identifies a person, in every table.
//!
//! The row of the user stays without its data, since others refer to it. What the academy needs without the person stays
//! too: orders, reservations and the events of an anonymous viewer.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Text, Timestamptz};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection as _};
use domain::Locale;
use domain::dataset::Column;

use super::snapshot_table::SnapshotTable;
use super::user::User;
use crate::db::Connection;
use crate::db::advisory_lock::AdvisoryLock;
use crate::db::schema::users;

/// The statements that erase a person's rows. Each changes nothing if it is repeated. `$1` is the user.
const STATEMENTS: [&str; 19] = [
    "DELETE FROM sessions WHERE user_id = $1",
    "DELETE FROM api_tokens WHERE user_id = $1",
    "DELETE FROM notifications WHERE user_id = $1",
    "DELETE FROM saved_exports WHERE user_id = $1",
    "DELETE FROM student_activity_snapshots WHERE user_id = $1",
    "DELETE FROM teacher_activity_snapshots WHERE teacher_id = $1",
    "DELETE FROM course_teacher WHERE teacher_id = $1",
    "UPDATE course_teacher SET assigned_by = NULL WHERE assigned_by = $1",
    "UPDATE practice_package_orders SET payment_reference = NULL, meta = NULL \
     WHERE user_id = $1 AND (payment_reference IS NOT NULL OR meta IS NOT NULL)",
    "UPDATE discord_practices SET creator_id = NULL WHERE creator_id = $1",
    "UPDATE teacher_submissions SET feedback = NULL WHERE teacher_id = $1 AND feedback IS NOT NULL",
    "UPDATE teacher_submissions SET reviewed_by = NULL WHERE reviewed_by = $1",
    "UPDATE teacher_submission_histories AS history SET notes = NULL FROM teacher_submissions AS submission \
     WHERE submission.id = history.submission_id AND submission.teacher_id = $1 AND notes IS NOT NULL",
    "UPDATE teacher_submission_histories SET changed_by = NULL WHERE changed_by = $1",
    "UPDATE imports SET filename = '', message = NULL WHERE imported_by = $1 AND filename <> ''",
    "UPDATE export_audits SET address = CASE WHEN user_id = $1 THEN NULL ELSE address END, \
         filters = (SELECT coalesce(jsonb_object_agg(key, CASE \
             WHEN key IN ('user_id', 'teacher_id', 'creator_id', 'person') AND value = to_jsonb($1::text) \
             THEN '\"erased\"' ELSE value END), '{}') FROM jsonb_each(filters)) \
     WHERE user_id = $1 AND address IS NOT NULL \
         OR $1::text IN (filters ->> 'user_id', filters ->> 'teacher_id', filters ->> 'creator_id', filters ->> 'person')",
    "UPDATE saved_exports SET options = options #- '{filters,user_id}' #- '{filters,teacher_id}' #- '{filters,creator_id}' \
     WHERE $1::text IN (options #>> '{filters,user_id}', options #>> '{filters,teacher_id}', options #>> '{filters,creator_id}')",
    // Last, since recording locks them too.
    "DELETE FROM player_event_keys WHERE user_id = $1",
    "DELETE FROM video_progress WHERE user_id = $1",
];

/// What is still to be sent about the person, and the events themselves, which become those of a guest. `$2` is the current
/// time.
const EVENT_STATEMENTS: [&str; 3] = [
    "DELETE FROM telemetry_deliveries AS delivery USING video_player_events AS event \
     WHERE event.user_id = $1 AND delivery.event_id = event.id AND delivery.state IN ('pending', 'retry')",
    "DELETE FROM telemetry_pending AS pending USING video_player_events AS event \
     WHERE event.user_id = $1 AND pending.recorded_at = event.recorded_at AND pending.event_id = event.id",
    "UPDATE video_player_events SET user_id = NULL, metadata = NULL, synced_at = coalesce(synced_at, $2) \
     WHERE user_id = $1",
];

/// Rejected rows with the person's id in the column of the person, with the name in the column of names, or with the e-mail
/// address in any cell.
const REJECTED_ROWS: &str = "\
    DELETE FROM import_rows_rejected AS rejected USING imports \
    WHERE imports.id = rejected.import_id AND EXISTS ( \
        SELECT FROM unnest(rejected.cells) WITH ORDINALITY AS cells (cell, place) \
        WHERE lower(btrim(cell)) = $2 \
            OR lower(btrim(cell)) = $3 AND lower(btrim(imports.file_columns[place])) = ANY($5) \
            OR regexp_replace(btrim(cell), '^0*([0-9]+)([.]0+)?$', '\\1') = $1::text \
                AND lower(btrim(imports.file_columns[place])) = ANY($4))";

/// How the row of a user is anonymized.
#[derive(Debug, AsChangeset)]
#[diesel(table_name = users, treat_none_as_null = true)]
struct Anonymous {
    name: String,
    email: String,
    manage_settings: Option<bool>,
    active: bool,
    password_hash: Option<String>,
    locale: Option<String>,
    timezone: Option<String>,
    erased_at: Option<DateTime<Utc>>,
    erased_by: Option<i64>,
    updated_at: DateTime<Utc>,
}

impl User {
    /// The users whose data was erased after this time.
    pub async fn erased_since(conn: &mut Connection, since: DateTime<Utc>) -> QueryResult<Vec<Self>> {
        Self::query().filter(users::erased_at.gt(since)).order(users::id).load(conn).await
    }

    /// Anonymizes the row of the user, who then has no access and counts as unknown. Returns the number of changed rows: none
    /// if it was anonymized before.
    pub async fn anonymize(&self, conn: &mut Connection, by: i64, now: DateTime<Utc>) -> QueryResult<usize> {
        let anonymous = Anonymous {
            name: format!("erased-{}", self.id),
            email: format!("erased-{}@erased.invalid", self.id),
            manage_settings: None,
            active: false,
            password_hash: None,
            locale: None,
            timezone: None,
            erased_at: Some(now),
            erased_by: Some(by),
            updated_at: now,
        };
        let known = users::table.find(self.id).filter(users::erased_at.is_null());
        diesel::update(known).set(anonymous).execute(conn).await
    }

    /// Erases the person's rows in all other tables, in a transaction. Returns the number of rows.
    pub async fn erase_rows(&self, conn: &mut Connection, now: DateTime<Utc>) -> QueryResult<usize> {
        conn.batch_execute("SET LOCAL statement_timeout = 0").await?;
        let mut rows = 0;
        for statement in STATEMENTS {
            rows += sql_query(statement).bind::<BigInt, _>(self.id).execute(conn).await?;
        }
        let columns = SnapshotTable::ALL.map(|table| {
            let (dataset, person) = (table.dataset().describe(), table.person_column());
            (dataset.column(person), dataset.name_column(person))
        });
        rows += sql_query(REJECTED_ROWS)
            .bind::<BigInt, _>(self.id)
            .bind::<Text, _>(self.email.trim().to_lowercase())
            .bind::<Text, _>(self.name.trim().to_lowercase())
            .bind::<Array<Text>, _>(headers(columns.iter().filter_map(|(ids, _)| *ids)))
            .bind::<Array<Text>, _>(headers(columns.iter().filter_map(|(_, names)| *names)))
            .execute(conn)
            .await?;
        // Last, since it makes the sync wait.
        AdvisoryLock::Deliveries.acquire_in_transaction(conn).await?;
        for statement in EVENT_STATEMENTS {
            let statement = sql_query(statement).bind::<BigInt, _>(self.id);
            rows += statement.bind::<Timestamptz, _>(now).execute(conn).await?;
        }
        Ok(rows)
    }
}

/// The key and the titles of each column, in lower case.
fn headers<'a>(columns: impl Iterator<Item = &'a Column>) -> Vec<String> {
    let of = |column: &Column| {
        let titles = Locale::ALL.map(|locale| column.title.in_locale(locale).to_lowercase());
        titles.into_iter().chain([column.key.to_owned()])
    };
    columns.flat_map(of).collect()
}

/// For how long after an erasure rows are erased that arrive late: an import or the recording of an event that had begun
/// before does not see that the person's data was erased.
pub const LATE_ROWS: TimeDelta = TimeDelta::days(1);
