//! Records the outcomes of practices that have ended: who attended, and who cancelled.
//!
//! Each batch of practices is a transaction of its own, which marks the reservations and inserts their snapshots. Only
//! reservations without the mark are marked, so each is recorded once, whichever processes run and wherever they stop.

use std::collections::{HashMap, HashSet};

use anyhow::{Context as _, Result};
use chrono::{DateTime, TimeDelta, Utc};
use diesel_async::AsyncConnection as _;
use domain::access::CourseScope;

use super::snapshots;
use crate::app::App;
use crate::db::Connection;
use crate::models::QueryResult;
use crate::models::course::LessonRow;
use crate::models::dataset::student_activity_snapshot::NewStudentSnapshot;
use crate::models::practice::Practice;
use crate::models::reference::ReferencedTable;
use crate::models::reservation::{OutcomeCounts, Reservation};

/// The maximum number of practices in a transaction.
const PRACTICES_PER_BATCH: usize = 100;
/// The maximum number of reservations in memory.
const RESERVATIONS_PER_STATEMENT: usize = 2_000;

/// What was recorded, or would be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The number of practices.
    pub practices: i64,
    /// The number of students who attended.
    pub attended: i64,
    /// The number of cancellations.
    pub cancelled: i64,
    /// The number of cancellations that were late.
    pub late: i64,
    /// The number of practices that are still due.
    pub remaining: i64,
}

/// When attendance is due, and which cancellations are late.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The time after the end of a practice at which its attendance is recorded.
    pub grace: TimeDelta,
    /// A cancellation less than this long before the start is late.
    pub late_window: TimeDelta,
}

impl Rules {
    /// The rules of the settings.
    pub fn of(app: &App) -> Result<Self> {
        let settings = &app.config.practices;
        Ok(Self {
            grace: TimeDelta::from_std(settings.attendance_grace)?,
            late_window: TimeDelta::from_std(settings.late_cancel)?,
        })
    }
}

/// Records the outcomes of up to `limit` practices that are due, those that started first.
pub async fn record(app: &App, limit: i64) -> Result<Report> {
    let rules = Rules::of(app)?;
    let now = app.clock.now();
    let conn = &mut *app.pool.get().await.context("Failed to get a database connection")?;
    let metrics = app.metrics.practices();
    let recorded = record_until(conn, rules, limit, now, |batch| {
        let [practices, attended, cancelled] =
            [batch.practices, batch.attended, batch.cancelled].map(i64::unsigned_abs);
        metrics.attendance_recorded(practices, attended, cancelled);
    });
    recorded.await.context("Failed to record the attendance")
}

/// Records the outcomes of up to `limit` practices that are due at this time. Reports each batch that is committed.
pub async fn record_until(
    conn: &mut Connection,
    rules: Rules,
    limit: i64,
    now: DateTime<Utc>,
    mut committed: impl FnMut(&Report),
) -> QueryResult<Report> {
    let ended_by = now - rules.grace;
    let mut report = Report::default();
    for due in Practice::due(conn, ended_by, limit).await?.chunks(PRACTICES_PER_BATCH) {
        let batch = conn.transaction(async |conn| record_batch(conn, rules, due, now).await).await?;
        committed(&batch);
        report.practices += batch.practices;
        report.attended += batch.attended;
        report.cancelled += batch.cancelled;
        report.late += batch.late;
    }
    report.remaining = Practice::count_due(conn, ended_by).await?;
    Ok(report)
}

/// Counts what [`record`] would record.
pub async fn dry_run(app: &App, limit: i64) -> Result<Report> {
    let rules = Rules::of(app)?;
    let ended_by = app.clock.now() - rules.grace;
    let conn = &mut *app.pool.get().await.context("Failed to get a database connection")?;
    let counted = async {
        let due = Practice::due(conn, ended_by, limit).await?;
        let OutcomeCounts { attended, cancelled, late } =
            Reservation::count_outcomes(conn, &due, rules.late_window).await?;
        let practices = i64::try_from(due.len()).unwrap_or(i64::MAX);
        let remaining = Practice::count_due(conn, ended_by).await? - practices;
        QueryResult::Ok(Report { practices, attended, cancelled, late, remaining })
    };
    counted.await.context("Failed to read the attendance")
}

async fn record_batch(
    conn: &mut Connection,
    rules: Rules,
    due: &[i64],
    now: DateTime<Utc>,
) -> QueryResult<Report> {
    let mut practices = Practice::lock_free(conn, due).await?;
    // The platform may have changed a practice, and another process may have recorded it, before it was locked.
    let due = Practice::still_due(conn, now - rules.grace, due).await?;
    practices.retain(|practice| due.contains(&practice.id));
    let mut report =
        Report { practices: i64::try_from(practices.len()).unwrap_or(i64::MAX), ..Report::default() };
    if practices.is_empty() {
        return Ok(report);
    }
    let ids: Vec<i64> = practices.iter().map(|practice| practice.id).collect();
    let lesson_ids: Vec<i64> = practices.iter().map(|practice| practice.lesson_id).collect();
    let lessons = LessonRow::find(conn, &lesson_ids).await?;
    let lessons: HashMap<i64, LessonRow> = lessons.into_iter().map(|lesson| (lesson.id.0, lesson)).collect();
    let practices: HashMap<i64, Practice> =
        practices.into_iter().map(|practice| (practice.id, practice)).collect();
    loop {
        let reservations = Reservation::record_outcomes(conn, &ids, RESERVATIONS_PER_STATEMENT, now).await?;
        let students: Vec<i64> = reservations.iter().map(|reservation| reservation.user_id).collect();
        // Those whose data was erased get no snapshots.
        let known = ReferencedTable::User.existing_in_courses(conn, &students, &CourseScope::Any).await?;
        let known: HashSet<i64> = known.into_iter().collect();
        let mut outcomes = Vec::with_capacity(reservations.len());
        for reservation in &reservations {
            let practice = &practices[&reservation.practice_id];
            let lesson = &lessons[&practice.lesson_id];
            if let Some(cancelled_at) = reservation.cancelled_at {
                report.cancelled += 1;
                report.late += i64::from(snapshots::is_late(cancelled_at, practice, rules.late_window));
                let snapshot =
                    snapshots::cancellation(reservation, practice, lesson, cancelled_at, rules.late_window);
                outcomes.push((cancelled_at, reservation.id, snapshot));
            } else {
                report.attended += 1;
                let attended_at = reservation.attended_at.unwrap_or_else(|| practice.ends_at());
                let snapshot = snapshots::attendance(reservation, practice, lesson, attended_at);
                outcomes.push((attended_at, reservation.id, snapshot));
            }
        }
        outcomes.retain(|(_, _, snapshot)| known.contains(&snapshot.user_id));
        outcomes.sort_unstable_by_key(|(at, id, _)| (*at, *id));
        let snapshots: Vec<NewStudentSnapshot<'_>> =
            outcomes.into_iter().map(|(_, _, snapshot)| snapshot).collect();
        if !snapshots.is_empty() {
            NewStudentSnapshot::insert(conn, &snapshots).await?;
        }
        // No more are added while the practices are locked.
        if reservations.len() < RESERVATIONS_PER_STATEMENT {
            break;
        }
    }
    Practice::complete(conn, &ids, now).await?;
    Ok(report)
}
