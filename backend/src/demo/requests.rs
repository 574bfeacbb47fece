//! Students who wait for a practice, and the teachers who hear of it when there are enough of them.

use chrono::TimeDelta;
use rand::Rng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};

use super::calendar::Calendar;
use super::catalog::Catalog;
use super::people::People;
use super::snapshots::Snapshots;
use crate::models::discord_practice_request::NewRequest;

/// How many lessons were asked for.
const LESSONS: usize = 16;
/// How many of them are waited for still, without anybody having been told.
const PENDING: usize = 4;
/// How many days back the first request may be.
const DAYS: i64 = 58;

/// The requests of some lessons, three to six students each.
pub fn wait(
    rng: &mut impl Rng,
    calendar: Calendar,
    people: &People,
    catalog: &Catalog,
    snapshots: &mut Snapshots,
) -> Vec<NewRequest> {
    let mut asked: Vec<(usize, i64)> = catalog
        .videos
        .iter()
        .enumerate()
        .flat_map(|(course, videos)| videos.iter().map(move |video| (course, video.lesson_id)))
        .collect();
    asked.shuffle(rng);
    let mut requests = Vec::new();
    for (place, (course, lesson_id)) in asked.into_iter().take(LESSONS).enumerate() {
        let size = rng.random_range(3..=6);
        let students: Vec<i64> =
            people.students.choose_multiple(rng, size).map(|student| student.id).collect();
        let begun = calendar.study_time(rng, DAYS) - TimeDelta::days(2);
        let told = begun + TimeDelta::hours(6);
        let is_pending = place < PENDING;
        for (minutes, user_id) in (0..).zip(&students) {
            requests.push(NewRequest {
                lesson_id,
                user_id: *user_id,
                status: if is_pending { "pending" } else { "escalated" },
                created_at: begun + TimeDelta::minutes(minutes * 47),
                escalated_at: (!is_pending).then_some(told),
            });
        }
        if !is_pending {
            let waiting = i32::try_from(students.len()).unwrap_or(i32::MAX);
            snapshots.of_escalation(catalog, lesson_id, waiting, &catalog.teachers[course], told);
        }
    }
    requests
}
