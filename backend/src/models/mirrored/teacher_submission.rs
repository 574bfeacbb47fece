//! Teachers' submissions as the learning platform states them, and the changes of their status.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use serde_json::Value;

use crate::db::Connection;
use crate::db::schema::{teacher_submission_histories as histories, teacher_submissions as submissions};

/// What the platform says of one submission.
#[derive(Debug, PartialEq, Insertable, Queryable, Selectable)]
#[diesel(table_name = submissions)]
pub struct MirroredSubmission {
    /// Its id on the platform.
    pub id: i64,
    /// Who handed it in.
    pub teacher_id: i64,
    /// The course that it is for.
    pub course_id: Option<i64>,
    /// `module`, `lesson` or `pack`.
    #[diesel(column_name = type_)]
    pub kind: Cow<'static, str>,
    /// Its title.
    pub title: String,
    /// What it is about.
    pub summary: Option<String>,
    /// The proposal itself.
    pub payload: Option<Value>,
    /// `pending`, `approved` or `rejected`.
    pub status: Cow<'static, str>,
    /// What the reviewer said.
    pub feedback: Option<String>,
    /// Who reviewed it.
    pub reviewed_by: Option<i64>,
    /// When it was reviewed.
    pub reviewed_at: Option<DateTime<Utc>>,
    /// What became of it: the kind of thing.
    pub result_type: Option<String>,
    /// What became of it: the thing's id.
    pub result_id: Option<i64>,
    /// When it was handed in.
    pub created_at: DateTime<Utc>,
}

/// A change of a submission's status.
#[derive(Debug, Insertable)]
#[diesel(table_name = histories)]
pub struct NewSubmissionChange {
    /// The submission.
    pub submission_id: i64,
    /// The status from then on.
    pub status: Cow<'static, str>,
    /// Who changed it.
    pub changed_by: Option<i64>,
    /// When.
    pub changed_at: DateTime<Utc>,
    /// Why.
    pub notes: Option<String>,
}

impl MirroredSubmission {
    /// Those of these submissions that are stored.
    pub async fn stored(conn: &mut Connection, ids: &[i64]) -> QueryResult<Vec<Self>> {
        submissions::table.filter(submissions::id.eq_any(ids)).select(Self::as_select()).load(conn).await
    }

    /// The present status of those of these submissions that are there.
    pub async fn statuses(conn: &mut Connection, ids: &[i64]) -> QueryResult<Vec<(i64, String)>> {
        submissions::table
            .filter(submissions::id.eq_any(ids))
            .select((submissions::id, submissions::status))
            .load(conn)
            .await
    }

    /// Stores the rows and answers with how many were new or changed.
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
        let stamped: Vec<_> = rows.iter().map(|row| (row, submissions::updated_at.eq(now))).collect();
        diesel::insert_into(submissions::table)
            .values(stamped)
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
    /// Adds changes to the history, oldest first.
    pub async fn insert(conn: &mut Connection, changes: &[Self]) -> QueryResult<usize> {
        diesel::insert_into(histories::table).values(changes).execute(conn).await
    }
}
