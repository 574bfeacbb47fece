//! The academy as a whole. Each part is generated from its own stream of random numbers, and then stored.

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::Options;
use super::calendar::Calendar;
use super::catalog::Catalog;
use super::curriculum::COURSES;
use super::history::{self, History, NewVideoProgress, Watcher};
use super::ids::Ids;
use super::orders::Orders;
use super::people::People;
use super::practices::Practices;
use super::requests::NewPracticeRequest;
use super::reservation::NewReservation;
use super::seat::PracticeContext;
use super::snapshots::Snapshots;
use super::{requests, submissions};
use crate::db::Connection;
use crate::models::dataset::student_activity_snapshot::NewStudentSnapshot;
use crate::models::dataset::teacher_activity_snapshot::NewTeacherSnapshot;
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

/// Rows per statement. Their bind parameters must stay below PostgreSQL's limit of 65,535.
const ROW_BATCH_SIZE: usize = 2_000;
/// Events per statement. The statement binds one array per column, so the limit does not apply.
const EVENT_BATCH_SIZE: usize = 10_000;

/// All rows of the academy.
pub(super) struct Academy {
    people: People,
    catalog: Catalog,
    orders: Vec<MirroredOrder>,
    practices: Practices,
    requests: Vec<NewPracticeRequest>,
    submissions: Vec<MirroredSubmission>,
    changes: Vec<NewSubmissionChange>,
    snapshots: Snapshots,
    history: History,
}

impl Academy {
    /// Generates all rows, with ids from the database's sequences.
    pub async fn generate(conn: &mut Connection, options: Options) -> QueryResult<Self> {
        let Options { students, events, seed, now, zone } = options;
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
        let mut reservation_ids = Ids::of_table(conn, "discord_practice_reservations").await?;
        let mut submission_ids = Ids::of_table(conn, "teacher_submissions").await?;

        let people = People::generate(&mut stream(1), &mut user_ids, students, COURSES.len());
        let catalog_ids = (&mut course_ids, &mut lesson_ids, &mut package_ids);
        let catalog = Catalog::generate(&mut stream(2), calendar, &people, catalog_ids);
        let mut orders = Orders::generate(&mut stream(3), calendar, &people, &catalog, &mut order_ids);
        let mut snapshots = Snapshots::default();
        for order in orders.rows() {
            snapshots.add_purchase(&catalog, order);
        }
        let context = PracticeContext {
            people: &people,
            catalog: &catalog,
            orders: &mut orders,
            snapshots: &mut snapshots,
        };
        let practices =
            Practices::generate(&mut stream(4), calendar, context, &mut practice_ids, &mut reservation_ids);
        let requests = requests::generate(&mut stream(5), calendar, &people, &catalog, &mut snapshots);
        let (submissions, changes) =
            submissions::generate(&mut stream(6), calendar, &people, &catalog, &mut submission_ids);
        let history = history::generate(&mut stream(7), calendar, watchers(&people, &catalog), events);
        for ids in [
            user_ids,
            course_ids,
            lesson_ids,
            package_ids,
            order_ids,
            practice_ids,
            reservation_ids,
            submission_ids,
        ] {
            ids.advance_sequence(conn).await?;
        }
        snapshots.students.sort_by_key(|snapshot| snapshot.captured_at);
        snapshots.teachers.sort_by_key(|snapshot| snapshot.captured_at);
        let orders = orders.into_rows();
        Ok(Self { people, catalog, orders, practices, requests, submissions, changes, snapshots, history })
    }

    /// Stores all rows, referenced rows first.
    pub async fn store(&self, conn: &mut Connection, now: DateTime<Utc>) -> QueryResult<()> {
        let Self { people, catalog, orders, practices, requests, submissions, changes, snapshots, history } =
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
        for rows in practices.rows.chunks(ROW_BATCH_SIZE) {
            MirroredPractice::upsert(conn, rows, now).await?;
        }
        for rows in practices.reservations.chunks(ROW_BATCH_SIZE) {
            NewReservation::insert(conn, rows).await?;
        }
        NewPracticeRequest::insert(conn, requests).await?;
        MirroredSubmission::upsert(conn, submissions, now).await?;
        NewSubmissionChange::insert(conn, changes).await?;
        for rows in snapshots.students.chunks(ROW_BATCH_SIZE) {
            NewStudentSnapshot::insert(conn, rows).await?;
        }
        for rows in snapshots.teachers.chunks(ROW_BATCH_SIZE) {
            NewTeacherSnapshot::insert(conn, rows).await?;
        }
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
