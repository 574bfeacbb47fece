//! Live practices: planned week by week, reserved within their capacity, attended or cancelled.

use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};

use super::calendar::Calendar;
use super::catalog::Catalog;
use super::ids::Ids;
use super::orders::Orders;
use super::people::People;
use super::seat::{Outcome, Seat};
use super::snapshots::Snapshots;
use crate::models::discord_practice_reservation::NewReservation;
use crate::models::mirrored::discord_practice::{MeetingToken, MirroredPractice};

/// Weeks before and after the present one that have practices.
const WEEKS: std::ops::RangeInclusive<i64> = -8..=2;
/// What ended so long ago has its attendance on record.
pub const RECORDED_AFTER: TimeDelta = TimeDelta::hours(20);
/// Students for whom a course has one practice a week; twice as many have two.
const STUDENTS_A_PRACTICE: usize = 200;
/// The most practices that a course has in a week.
const MOST_A_WEEK: usize = 20;

/// The academy's practices and who takes part.
pub struct Practices {
    /// Practices as they are stored.
    pub rows: Vec<MirroredPractice>,
    /// Reservations as they are stored.
    pub reservations: Vec<NewReservation>,
}

/// What is needed to plan and reserve.
pub struct Hosts<'a> {
    /// Everybody.
    pub people: &'a People,
    /// Courses and packs.
    pub catalog: &'a Catalog,
    /// Who bought what.
    pub orders: &'a mut Orders,
    /// What becomes of it.
    pub snapshots: &'a mut Snapshots,
}

impl Practices {
    /// Holds the past ones and plans the coming ones.
    pub fn hold(
        rng: &mut impl Rng,
        calendar: Calendar,
        mut hosts: Hosts<'_>,
        practice_ids: &mut Ids,
        reservation_ids: &mut Ids,
    ) -> Self {
        let mut planned = plan(rng, calendar, hosts.catalog, hosts.people.students.len());
        planned.sort_by_key(|(_, row)| row.start_at);
        let mut practices = Self { rows: Vec::new(), reservations: Vec::new() };
        for (course, mut row) in planned {
            row.id = practice_ids.take();
            practices.fill(rng, calendar, &mut hosts, reservation_ids, course, &row);
            practices.rows.push(row);
        }
        practices
    }

    /// Reserves seats of one practice, never more than it has.
    fn fill(
        &mut self,
        rng: &mut impl Rng,
        calendar: Calendar,
        hosts: &mut Hosts<'_>,
        ids: &mut Ids,
        course: usize,
        practice: &MirroredPractice,
    ) {
        let mut students: Vec<i64> = hosts
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
            let promise = if practice.requires_package {
                let package = practice.practice_package_id;
                let Some(promise) = hosts.orders.promise(user_id, course, package, reserved_at) else {
                    continue;
                };
                Some(promise)
            } else {
                None
            };
            let outcome = Outcome::of(rng, calendar, practice, reserved_at);
            if !matches!(outcome, Outcome::Cancelled(_)) {
                seats -= 1;
            }
            let seat = Seat { id: ids.take(), user_id, reserved_at, promise };
            let reservation = seat.take(calendar, hosts, practice, outcome);
            hosts.snapshots.of_reservation(hosts.catalog, practice, &reservation);
            self.reservations.push(reservation);
        }
    }
}

fn plan(
    rng: &mut impl Rng,
    calendar: Calendar,
    catalog: &Catalog,
    students: usize,
) -> Vec<(usize, MirroredPractice)> {
    let a_week = students.div_ceil(STUDENTS_A_PRACTICE).min(MOST_A_WEEK);
    let mut planned = Vec::new();
    for week in WEEKS {
        for (course, videos) in catalog.videos.iter().enumerate() {
            for _ in 0..a_week {
                let Some(video) = videos.choose(rng) else { continue };
                let day = week * 7 + rng.random_range(0..7);
                let start_at = calendar.at(day, rng.random_range(36..41) * 30);
                planned.push((course, sketch(rng, calendar, catalog, course, video.lesson_id, start_at)));
            }
        }
    }
    planned
}

fn sketch(
    rng: &mut impl Rng,
    calendar: Calendar,
    catalog: &Catalog,
    course: usize,
    lesson_id: i64,
    start_at: DateTime<Utc>,
) -> MirroredPractice {
    let duration_minutes = [45, 60, 60, 90][rng.random_range(0..4)];
    let end_at = start_at + TimeDelta::minutes(duration_minutes.into());
    let status = if rng.random_ratio(1, 10) {
        "cancelled"
    } else if end_at < calendar.now - RECORDED_AFTER {
        "completed"
    } else {
        "scheduled"
    };
    let kind = if rng.random_ratio(7, 10) { "cohort" } else { "global" };
    let lesson = catalog.lessons.iter().find(|lesson| lesson.id == lesson_id);
    let title = lesson.map_or("Práctica libre", |lesson| lesson.title.as_str());
    let requires_package = rng.random_ratio(4, 10);
    // Some take any pack, some a certain one.
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
