//! Live practices, planned for each week, and the seats that students reserve in them.

use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};

use super::calendar::Calendar;
use super::catalog::Catalog;
use super::ids::Ids;
use super::seat::{Outcome, PracticeContext, Seat};
use crate::models::mirrored::discord_practice::{MeetingToken, MirroredPractice};

/// The weeks with practices, relative to the current week.
const WEEKS: std::ops::RangeInclusive<i64> = -8..=2;
/// A course has one practice per week for each group of this many students.
const STUDENTS_PER_PRACTICE: usize = 200;
/// The maximum number of practices of a course per week.
const MAX_PRACTICES_PER_WEEK: usize = 20;

/// Generates past and future practices, and the events of their seats. Practices that were not cancelled are scheduled: they
/// become completed when their attendance is recorded.
pub fn generate<R: Rng>(
    rng: &mut impl Rng,
    calendar: Calendar,
    mut context: PracticeContext<'_, R>,
    ids: &mut Ids,
) -> Vec<MirroredPractice> {
    let mut planned = plan_practices(rng, calendar, context.catalog, context.people.students.len());
    planned.sort_by_key(|(_, row)| row.start_at);
    let mut practices = Vec::new();
    for (course, mut row) in planned {
        row.id = ids.take();
        reserve_seats(rng, calendar, &mut context, course, &row);
        practices.push(row);
    }
    practices
}

/// Reserves seats in one practice. There are no more reservations than seats, even if none were cancelled.
fn reserve_seats<R: Rng>(
    rng: &mut impl Rng,
    calendar: Calendar,
    context: &mut PracticeContext<'_, R>,
    course: usize,
    practice: &MirroredPractice,
) {
    let mut students: Vec<i64> = context
        .people
        .students
        .iter()
        .filter(|student| student.courses.contains(&course))
        .map(|student| student.id)
        .collect();
    students.shuffle(rng);
    let mut seats = rng.random_range(practice.capacity / 3..=practice.capacity);
    for user_id in students {
        if seats == 0 {
            break;
        }
        let latest = practice.start_at.min(calendar.now);
        let reserved_at = latest - TimeDelta::seconds(rng.random_range(5_400..6 * 24 * 3_600));
        let session = if practice.requires_package {
            let package = practice.practice_package_id;
            let Some(session) = context.orders.allocate(user_id, course, package, reserved_at) else {
                continue;
            };
            Some(session)
        } else {
            None
        };
        seats -= 1;
        let outcome = Outcome::generate(rng, calendar, practice, reserved_at);
        Seat { user_id, reserved_at, session }.publish(context, practice, outcome);
    }
}

fn plan_practices(
    rng: &mut impl Rng,
    calendar: Calendar,
    catalog: &Catalog,
    students: usize,
) -> Vec<(usize, MirroredPractice)> {
    let per_week = students.div_ceil(STUDENTS_PER_PRACTICE).min(MAX_PRACTICES_PER_WEEK);
    let mut planned = Vec::new();
    for week in WEEKS {
        for (course, videos) in catalog.videos.iter().enumerate() {
            for _ in 0..per_week {
                let Some(video) = videos.choose(rng) else { continue };
                let day = week * 7 + rng.random_range(0..7);
                let start_at = calendar.at(day, rng.random_range(36..41) * 30);
                planned.push((course, plan_practice(rng, catalog, course, video.lesson_id, start_at)));
            }
        }
    }
    planned
}

fn plan_practice(
    rng: &mut impl Rng,
    catalog: &Catalog,
    course: usize,
    lesson_id: i64,
    start_at: DateTime<Utc>,
) -> MirroredPractice {
    let duration_minutes = [45, 60, 60, 90][rng.random_range(0..4)];
    let end_at = start_at + TimeDelta::minutes(duration_minutes.into());
    let status = if rng.random_ratio(1, 10) { "cancelled" } else { "scheduled" };
    let kind = if rng.random_ratio(7, 10) { "cohort" } else { "global" };
    let lesson = catalog.lessons.iter().find(|lesson| lesson.id == lesson_id);
    let title = lesson.map_or("Práctica libre", |lesson| lesson.title.as_str());
    let requires_package = rng.random_ratio(4, 10);
    // Some practices accept any pack, some only a specific one.
    let package =
        if requires_package && rng.random() { catalog.packages_of(course).choose(rng) } else { None };
    let cohort = rng.random_range(1..=4);
    let token: u64 = rng.random();
    MirroredPractice {
        id: 0,
        lesson_id,
        title: if title.starts_with('=') { title.to_owned() } else { format!("Práctica en vivo: {title}") },
        kind: kind.to_owned(),
        status: status.into(),
        start_at,
        end_at,
        duration_minutes,
        capacity: rng.random_range(6..=14),
        requires_package,
        practice_package_id: package.map(|package| package.id),
        creator_id: catalog.teachers[course].choose(rng).copied(),
        cohort_label: (kind == "cohort").then(|| format!("Cohorte «Ñandú», {cohort}.ª edición")),
        discord_channel_url: Some(format!("https://discord.example/practicas/{course}-{cohort}")),
        meeting_token: Some(MeetingToken(format!("sala-{token:016x}").into())),
    }
}
