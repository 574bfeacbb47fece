//! Teachers' submissions, as sent by the learning platform, and the history of their status.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use serde_json::Value;

use crate::db::Connection;
use crate::db::schema::{teacher_submission_histories as histories, teacher_submissions as submissions};

/// A submission, as sent by the platform.
#[derive(Debug, PartialEq, Insertable, Queryable, Selectable)]
#[diesel(table_name = submissions)]
pub struct MirroredSubmission {
    /// Id on the platform.
    pub id: i64,
    pub teacher_id: i64,
    pub course_id: Option<i64>,
    /// `module`, `lesson` or `pack`.
    #[diesel(column_name = type_)]
    pub kind: Cow<'static, str>,
    pub title: String,
    pub summary: Option<String>,
    /// Content of the proposal.
    pub payload: Option<Value>,
    /// `pending`, `approved` or `rejected`.
    pub status: Cow<'static, str>,
    /// Feedback of the reviewer.
    pub feedback: Option<String>,
    /// Id of the reviewer.
    pub reviewed_by: Option<i64>,
    pub reviewed_at: Option<DateTime<Utc>>,
    /// Type of the object that was created from it.
    pub result_type: Option<String>,
    /// Id of the object that was created from it.
    pub result_id: Option<i64>,
    /// When it was submitted.
    pub created_at: DateTime<Utc>,
}

/// A new entry in the history of a submission's status.
#[derive(Debug, Insertable)]
#[diesel(table_name = histories)]
pub struct NewSubmissionChange {
    pub submission_id: i64,
    /// The new status.
    pub status: Cow<'static, str>,
    /// Id of the user who changed the status.
    pub changed_by: Option<i64>,
    pub changed_at: DateTime<Utc>,
    pub notes: Option<String>,
}

impl MirroredSubmission {
    /// The stored submissions with these ids.
    pub async fn stored(conn: &mut Connection, ids: &[i64]) -> QueryResult<Vec<Self>> {
        submissions::table.filter(submissions::id.eq_any(ids)).select(Self::as_select()).load(conn).await
    }

    /// The ids and statuses of the stored submissions with these ids.
    pub async fn statuses(conn: &mut Connection, ids: &[i64]) -> QueryResult<Vec<(i64, String)>> {
        submissions::table
            .filter(submissions::id.eq_any(ids))
            .select((submissions::id, submissions::status))
            .load(conn)
            .await
    }

    /// Inserts or updates the rows, and returns the number of new and changed rows.
    pub async fn upsert(conn: &mut Connection, rows: &[Self], now: DateTime<Utc>) -> QueryResult<usize> {
        use diesel::query_dsl::methods::FilterDsl as _;

        let changed = submissions::teacher_id
            .is_distinct_from(excluded(submissions::teacher_id))
            .or(submissions::course_id.is_distinct_from(excluded(submissions::course_id)))
            .or(submissions::type_.is_distinct_from(excluded(submissions::type_)))
            .or(submissions::title.is_distinct_from(excluded(submissions::title)))
            .or(submissions::summary.is_distinct_from(excluded(submissions::summary)))
            .or(submissions::payload.is_distinct_from(excluded(submissions::payload)))
            .or(submissions::status.is_distinct_from(excluded(submissions::status)))
            .or(submissions::feedback.is_distinct_from(excluded(submissions::feedback)))
            .or(submissions::reviewed_by.is_distinct_from(excluded(submissions::reviewed_by)))
            .or(submissions::reviewed_at.is_distinct_from(excluded(submissions::reviewed_at)))
            .or(submissions::result_type.is_distinct_from(excluded(submissions::result_type)))
            .or(submissions::result_id.is_distinct_from(excluded(submissions::result_id)))
            .or(submissions::created_at.is_distinct_from(excluded(submissions::created_at)));
        let with_timestamps: Vec<_> = rows.iter().map(|row| (row, submissions::updated_at.eq(now))).collect();
        diesel::insert_into(submissions::table)
            .values(with_timestamps)
            .on_conflict(submissions::id)
            .do_update()
            .set((
                submissions::teacher_id.eq(excluded(submissions::teacher_id)),
                submissions::course_id.eq(excluded(submissions::course_id)),
                submissions::type_.eq(excluded(submissions::type_)),
                submissions::title.eq(excluded(submissions::title)),
                submissions::summary.eq(excluded(submissions::summary)),
                submissions::payload.eq(excluded(submissions::payload)),
                submissions::status.eq(excluded(submissions::status)),
                submissions::feedback.eq(excluded(submissions::feedback)),
                submissions::reviewed_by.eq(excluded(submissions::reviewed_by)),
                submissions::reviewed_at.eq(excluded(submissions::reviewed_at)),
                submissions::result_type.eq(excluded(submissions::result_type)),
                submissions::result_id.eq(excluded(submissions::result_id)),
                submissions::created_at.eq(excluded(submissions::created_at)),
                submissions::updated_at.eq(excluded(submissions::updated_at)),
            ))
            .filter(changed)
            .execute(conn)
            .await
    }
}

impl NewSubmissionChange {
    /// Adds changes to the history. The changes must be sorted from oldest to newest.
    pub async fn insert(conn: &mut Connection, changes: &[Self]) -> QueryResult<usize> {
        diesel::insert_into(histories::table).values(changes).execute(conn).await
    }
}
