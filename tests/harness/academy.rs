//! The rows in the database when a test begins, inserted with plain SQL: only those that the test needs.

use std::sync::atomic::{AtomicU32, Ordering};

use domain::{Dataset, Role};
use tokio_postgres::types::ToSql;

/// Inserts rows into a test's database.
pub struct Academy {
    client: tokio_postgres::Client,
    /// Makes names unique.
    next_number: AtomicU32,
}

/// A lesson and its course.
#[derive(Clone, Copy, Debug)]
pub struct Lesson {
    pub id: i64,
    pub course: i64,
}

impl Academy {
    pub fn new(client: tokio_postgres::Client) -> Self {
        Self { client, next_number: AtomicU32::new(1) }
    }

    /// Creates a user; [`super::hub::Hub::sign_in`] signs it in.
    pub async fn user(&self, role: Role) -> i64 {
        let name = format!("{}-{}", role.key(), self.unique_number());
        let email = format!("{name}@example.org");
        let user = "INSERT INTO users (name, email, role) VALUES ($1, $2, $3) RETURNING id";
        self.insert(user, &[&name, &email, &role.key()]).await
    }

    pub async fn course(&self) -> i64 {
        let slug = format!("course-{}", self.unique_number());
        let course =
            "INSERT INTO courses (slug, titles) VALUES ($1, jsonb_build_object('en', $1::text)) RETURNING id";
        self.insert(course, &[&slug]).await
    }

    pub async fn lesson(&self, course: i64) -> Lesson {
        let lesson = "INSERT INTO lessons (course_id, title) VALUES ($1, 'A lesson') RETURNING id";
        Lesson { id: self.insert(lesson, &[&course]).await, course }
    }

    /// Grants a user the `manage-settings` permission.
    pub async fn grant_manage_settings(&self, user: i64) {
        self.execute("UPDATE users SET manage_settings = true WHERE id = $1", &[&user]).await;
    }

    /// Assigns a teacher to a course, and returns the assignment's id.
    pub async fn assign(&self, course: i64, teacher: i64, at: &str) -> i64 {
        let assignment = "INSERT INTO course_teacher (course_id, teacher_id, assigned_at) \
                          VALUES ($1, $2, $3::text::timestamptz) RETURNING id";
        self.insert(assignment, &[&course, &teacher, &at]).await
    }

    /// Inserts one row of a dataset for a lesson, or for its course if the dataset has no lessons.
    pub async fn row(&self, dataset: Dataset, lesson: Lesson, at: &str) -> i64 {
        let Lesson { id: lesson, course } = lesson;
        match dataset {
            Dataset::VideoPlayerEvents => {
                let month = "SELECT ensure_player_event_partitions($1::text::date, $1::text::date)";
                self.execute(month, &[&at]).await;
                let event = "INSERT INTO video_player_events (event, course_id, lesson_id, recorded_at) \
                             VALUES ('play', $1, $2, $3::text::timestamptz) RETURNING id";
                self.insert(event, &[&course, &lesson, &at]).await
            }
            Dataset::StudentActivitySnapshots => {
                let snapshot = "INSERT INTO student_activity_snapshots \
                                (user_id, course_id, lesson_id, captured_at, category) \
                                VALUES ($1, $2, $3, $4::text::timestamptz, 'custom') RETURNING id";
                self.insert(snapshot, &[&self.user(Role::Student).await, &course, &lesson, &at]).await
            }
            Dataset::TeacherActivitySnapshots => {
                let snapshot = "INSERT INTO teacher_activity_snapshots \
                                (teacher_id, course_id, lesson_id, captured_at, category) \
                                VALUES ($1, $2, $3, $4::text::timestamptz, 'custom') RETURNING id";
                self.insert(snapshot, &[&self.user(Role::TeacherAdmin).await, &course, &lesson, &at]).await
            }
            Dataset::DiscordPractices => {
                let practice = "INSERT INTO discord_practices (lesson_id, title, start_at) \
                                VALUES ($1, 'A practice', $2::text::timestamptz) RETURNING id";
                self.insert(practice, &[&lesson, &at]).await
            }
            Dataset::PracticePackageOrders => {
                let (student, pack) = (self.user(Role::Student).await, self.pack(Some(lesson)).await);
                let order = "INSERT INTO practice_package_orders \
                             (practice_package_id, user_id, status, sessions_remaining, created_at) \
                             VALUES ($1, $2, 'paid', 4, $3::text::timestamptz) RETURNING id";
                self.insert(order, &[&pack, &student, &at]).await
            }
            Dataset::TeacherSubmissions => {
                let submission = "INSERT INTO teacher_submissions \
                                  (teacher_id, course_id, type, title, status, created_at) \
                                  VALUES ($1, $2, 'lesson', 'A proposal', 'pending', $3::text::timestamptz) RETURNING id";
                self.insert(submission, &[&self.user(Role::Teacher).await, &course, &at]).await
            }
            Dataset::CourseTeacherAssignments => {
                self.assign(course, self.user(Role::Teacher).await, at).await
            }
        }
    }

    /// Creates a pack of practice sessions, and a teacher as its creator.
    pub async fn pack(&self, lesson: Option<i64>) -> i64 {
        let pack = "INSERT INTO practice_packages \
                    (creator_id, lesson_id, title, sessions_count, price_amount, price_currency, status) \
                    VALUES ($1, $2, 'A pack', 4, 40, 'USD', 'published') RETURNING id";
        self.insert(pack, &[&self.user(Role::Teacher).await, &lesson]).await
    }

    /// Runs any other statement that a test needs.
    pub async fn execute(&self, statement: &str, parameters: &[&(dyn ToSql + Sync)]) -> u64 {
        self.client
            .execute(statement, parameters)
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error:?}"))
    }

    /// Inserts a row and returns its id.
    pub async fn insert(&self, statement: &str, parameters: &[&(dyn ToSql + Sync)]) -> i64 {
        self.client
            .query_one(statement, parameters)
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error:?}"))
            .get(0)
    }

    fn unique_number(&self) -> u32 {
        self.next_number.fetch_add(1, Ordering::Relaxed)
    }
}
