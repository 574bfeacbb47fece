//! Requests of students for a practice. They are escalated to the teachers when enough students ask.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rand::Rng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};

use super::calendar::Calendar;
use super::catalog::Catalog;
use super::events::Events;
use super::people::People;
use crate::db::Connection;
use crate::db::schema::discord_practice_requests as requests;

/// The number of lessons with requests.
const REQUESTED_LESSONS: usize = 16;
/// The number of lessons with pending requests, which are not escalated yet.
const PENDING_LESSONS: usize = 4;
/// The number of past days in which requests are made.
const HISTORY_DAYS: i64 = 58;

/// A new request, which is pending.
#[derive(Debug, Insertable)]
#[diesel(table_name = requests)]
pub struct NewPracticeRequest {
    pub lesson_id: i64,
    pub user_id: i64,
    pub created_at: DateTime<Utc>,
}

impl NewPracticeRequest {
    /// Inserts the requests and returns their number.
    pub async fn insert(conn: &mut Connection, rows: &[Self]) -> QueryResult<usize> {
        diesel::insert_into(requests::table).values(rows).execute(conn).await
    }
}

/// Generates requests for some lessons, by three to six students each.
pub fn generate<R: Rng>(
    rng: &mut impl Rng,
    calendar: Calendar,
    people: &People,
    catalog: &Catalog,
    events: &mut Events<R>,
) -> Vec<NewPracticeRequest> {
    let mut lessons: Vec<(usize, i64)> = catalog
        .videos
        .iter()
        .enumerate()
        .flat_map(|(course, videos)| videos.iter().map(move |video| (course, video.lesson_id)))
        .collect();
    lessons.shuffle(rng);
    let mut rows = Vec::new();
    for (index, (course, lesson_id)) in lessons.into_iter().take(REQUESTED_LESSONS).enumerate() {
        let size = rng.random_range(3..=6);
        let students: Vec<i64> =
            people.students.choose_multiple(rng, size).map(|student| student.id).collect();
        let first_request_at = calendar.study_time(rng, HISTORY_DAYS) - TimeDelta::days(2);
        let escalated_at = first_request_at + TimeDelta::hours(6);
        let is_pending = index < PENDING_LESSONS;
        for (minutes, user_id) in (0..).zip(&students) {
            rows.push(NewPracticeRequest {
                lesson_id,
                user_id: *user_id,
                created_at: first_request_at + TimeDelta::minutes(minutes * 47),
            });
        }
        if !is_pending {
            let waiting = i32::try_from(students.len()).unwrap_or(i32::MAX);
            events.add_escalation(lesson_id, waiting, &catalog.teachers[course], escalated_at);
        }
    }
    rows
}
