//! Teachers' submissions. Each change of status is recorded in their history.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::QueryResult;

use super::Mirrored;
use crate::db::Connection;
use crate::error::Result;
use crate::models::mirrored;
use crate::models::mirrored::teacher_submission::{MirroredSubmission, NewSubmissionChange};

impl Mirrored for MirroredSubmission {
    const TABLE: &'static str = "teacher_submissions";
    type Key = i64;

    fn key(&self) -> i64 {
        self.id
    }

    async fn stored(conn: &mut Connection, ids: &[i64]) -> QueryResult<Vec<Self>> {
        MirroredSubmission::stored(conn, ids).await
    }

    async fn lock(conn: &mut Connection, ids: &[i64]) -> QueryResult<()> {
        mirrored::lock_rows(conn, Self::TABLE, ids).await
    }

    async fn store(conn: &mut Connection, rows: Vec<Self>, now: DateTime<Utc>) -> Result<usize> {
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let before: HashMap<i64, String> = Self::statuses(conn, &ids).await?.into_iter().collect();
        let written = Self::upsert(conn, &rows, now).await?;
        let changes: Vec<NewSubmissionChange> = rows
            .iter()
            .filter_map(|row| {
                let before = before.get(&row.id).map(String::as_str);
                (before != Some(&*row.status)).then(|| change(row, before, now))
            })
            .collect();
        NewSubmissionChange::insert(conn, &changes).await?;
        Ok(written)
    }
}

/// The first pending status is attributed to the teacher at the time of the submission, and later decisions
/// to the reviewer.
fn change(row: &MirroredSubmission, before: Option<&str>, now: DateTime<Utc>) -> NewSubmissionChange {
    let (changed_by, changed_at, notes) = match (before, &*row.status) {
        (None, "pending") => (Some(row.teacher_id), row.created_at, None),
        (Some(_), "pending") => (None, now, None),
        _ => (row.reviewed_by, row.reviewed_at.unwrap_or(now), row.feedback.clone()),
    };
    NewSubmissionChange { submission_id: row.id, status: row.status.clone(), changed_by, changed_at, notes }
}
