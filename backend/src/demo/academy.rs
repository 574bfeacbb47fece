//! The academy as a whole. Each part is generated from its own stream of random numbers, and then stored.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryResult;
use domain::practice::PracticeStatus;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::Options;
use super::calendar::Calendar;
use super::catalog::Catalog;
use super::curriculum::COURSES;
use super::events::{self, Events};
use super::history::{self, History, NewVideoProgress, Watcher};
use super::ids::Ids;
use super::orders::Orders;
use super::people::People;
use super::requests::NewPracticeRequest;
use super::seat::{PracticeContext, RECORDED_AFTER};
use super::{DemoError, practices, requests, submissions};
use crate::db::Connection;
use crate::models::mirrored::course::MirroredCourse;
use crate::models::mirrored::course_teacher::MirroredAssignment;
use crate::models::mirrored::discord_practice::MirroredPractice;
use crate::models::mirrored::lesson::MirroredLesson;
use crate::models::mirrored::practice_package::MirroredPackage;
use crate::models::mirrored::practice_package_order::MirroredOrder;
use crate::models::mirrored::teacher_submission::{MirroredSubmission, NewSubmissionChange};
use crate::models::mirrored::user::MirroredUser;
use crate::models::player_event::bulk_insert::insert_player_events;
use crate::models::player_event_month;
use crate::practices::attendance::{Rules, record_until};
use crate::practices::events::event::PlatformEvent;

/// A cancellation less than this long before the start of a practice is late.
const LATE_WINDOW: TimeDelta = TimeDelta::minutes(180);
/// Rows per statement. Their bind parameters must stay below PostgreSQL's limit of 65,535.
const ROW_BATCH_SIZE: usize = 2_000;
/// Events per statement. The statement binds one array per column, so the limit does not apply.
const EVENT_BATCH_SIZE: usize = 10_000;

/// All rows of the academy.
pub(super) struct Academy {
    people: People,
    catalog: Catalog,
    orders: Vec<MirroredOrder>,
    practices: Vec<MirroredPractice>,
    requests: Vec<NewPracticeRequest>,
    submissions: Vec<MirroredSubmission>,
    changes: Vec<NewSubmissionChange>,
    events: Vec<PlatformEvent>,
    history: History,
}

impl Academy {
    /// Generates all rows, with ids from the database's sequences.
    pub async fn generate(conn: &mut Connection, options: Options) -> QueryResult<Self> {
        let Options { students, events: player_events, seed, now, zone } = options;
        let calendar = Calendar { now, zone };
        // With one stream per part, a change to one part does not change the others.
        let stream = |number| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(number);
            rng
        };
        let mut user_ids = Ids::of_table(conn, "users").await?;
        let mut course_ids = Ids::of_table(conn, "courses").await?;
        let mut lesson_ids = Ids::of_table(conn, "lessons").await?;
        let mut package_ids = Ids::of_table(conn, "practice_packages").await?;
        let mut order_ids = Ids::of_table(conn, "practice_package_orders").await?;
        let mut practice_ids = Ids::of_table(conn, "discord_practices").await?;
        let mut submission_ids = Ids::of_table(conn, "teacher_submissions").await?;

        let people = People::generate(&mut stream(1), &mut user_ids, students, COURSES.len());
        let catalog_ids = (&mut course_ids, &mut lesson_ids, &mut package_ids);
        let catalog = Catalog::generate(&mut stream(2), calendar, &people, catalog_ids);
        let mut events = Events::new(stream(8));
        let mut orders =
            Orders::generate(&mut stream(3), calendar, &people, &catalog, &mut order_ids, &mut events);
        let context =
            PracticeContext { people: &people, catalog: &catalog, orders: &mut orders, events: &mut events };
        let practices = practices::generate(&mut stream(4), calendar, context, &mut practice_ids);
        let requests = requests::generate(&mut stream(5), calendar, &people, &catalog, &mut events);
        let (submissions, changes) =
            submissions::generate(&mut stream(6), calendar, &people, &catalog, &mut submission_ids);
        let history = history::generate(&mut stream(7), calendar, watchers(&people, &catalog), player_events);
        for ids in [user_ids, course_ids, lesson_ids, package_ids, order_ids, practice_ids, submission_ids] {
            ids.advance_sequence(conn).await?;
        }
        let (orders, events) = (orders.into_rows(), events.into_sorted());
        Ok(Self { people, catalog, orders, practices, requests, submissions, changes, events, history })
    }

    /// Stores all rows, referenced rows first, and publishes the events.
    pub async fn store(self, conn: &mut Connection, now: DateTime<Utc>) -> Result<(), DemoError> {
        let Self { people, catalog, orders, practices, requests, submissions, changes, events, history } =
            self;
        for rows in people.rows.chunks(ROW_BATCH_SIZE) {
            MirroredUser::upsert(conn, rows, now).await?;
        }
        MirroredCourse::upsert(conn, &catalog.courses, now).await?;
        MirroredLesson::upsert(conn, &catalog.lessons, now).await?;
        MirroredAssignment::upsert(conn, &catalog.assignments).await?;
        MirroredPackage::upsert(conn, &catalog.packages, now).await?;
        for rows in orders.chunks(ROW_BATCH_SIZE) {
            MirroredOrder::upsert(conn, rows, now).await?;
        }
        NewPracticeRequest::insert(conn, &requests).await?;
        publish(conn, practices, &events, now).await?;
        MirroredSubmission::upsert(conn, &submissions, now).await?;
        NewSubmissionChange::insert(conn, &changes).await?;
        for rows in history.progress.chunks(ROW_BATCH_SIZE) {
            NewVideoProgress::insert(conn, rows).await?;
        }
        if let (Some(first), Some(last)) = (history.events.first(), history.events.last()) {
            player_event_month::ensure(conn, first.recorded_at.date_naive(), last.recorded_at.date_naive())
                .await?;
        }
        for events in history.events.chunks(EVENT_BATCH_SIZE) {
            insert_player_events(conn, events, now).await?;
        }
        Ok(())
    }
}

/// Mirrors the practices and publishes what happened in them, as a platform does it, and records their attendance.
async fn publish(
    conn: &mut Connection,
    mut practices: Vec<MirroredPractice>,
    events: &[PlatformEvent],
    now: DateTime<Utc>,
) -> Result<(), DemoError> {
    // Seats are reserved before a practice is cancelled.
    let statuses: Vec<_> = practices
        .iter_mut()
        .map(|practice| std::mem::replace(&mut practice.status, PracticeStatus::Scheduled.key().into()))
        .collect();
    mirror(conn, &practices, now).await?;
    events::publish(conn, events, now).await?;
    for (practice, status) in practices.iter_mut().zip(statuses) {
        practice.status = status;
    }
    mirror(conn, &practices, now).await?;
    let rules = Rules { grace: RECORDED_AFTER, late_window: LATE_WINDOW };
    record_until(conn, rules, i64::MAX, now, |_| ()).await?;
    Ok(())
}

async fn mirror(
    conn: &mut Connection,
    practices: &[MirroredPractice],
    now: DateTime<Utc>,
) -> QueryResult<()> {
    for rows in practices.chunks(ROW_BATCH_SIZE) {
        MirroredPractice::upsert(conn, rows, now).await?;
    }
    Ok(())
}

/// The students, with the videos of their courses.
fn watchers(people: &People, catalog: &Catalog) -> Vec<Watcher> {
    people
        .students
        .iter()
        .map(|student| Watcher {
            user_id: student.id,
            videos: student.courses.iter().flat_map(|course| catalog.videos[*course].clone()).collect(),
        })
        .collect()
}
