//! Migrations while other transactions read and write: the reader keeps its snapshot, the writer barely
//! waits, and the migration is applied once the reader has finished.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use backend::db;
use backend::db::migrator::Migrator;
use diesel::migration::{Migration, MigrationSource, Result as MigrationResult};
use diesel::pg::Pg;
use diesel_migrations::FileBasedMigrations;
use tokio_postgres::Client;

use crate::harness::database::TestDatabase;

/// Tables that exports read in long transactions.
const READ_TABLES: [&str; 4] =
    ["video_player_events", "student_activity_snapshots", "teacher_activity_snapshots", "video_progress"];

/// Like the statement that records events: it looks up users and lessons before it writes.
const RECORD: &str = "WITH placed AS MATERIALIZED ( \
        SELECT users.id AS user_id, lessons.id AS lesson_id, lessons.course_id FROM users CROSS JOIN lessons \
    ) \
    INSERT INTO video_player_events (event, recorded_at, user_id, lesson_id, course_id) \
    SELECT 'play', now(), user_id, lesson_id, course_id FROM placed";

const LESSON: &str = "INSERT INTO users (id, name, email, role) VALUES (1, 'Ana', 'ana@example.org', 'student'); \
    INSERT INTO courses (id, slug, titles) VALUES (1, 'algebra', '{\"es\": \"Álgebra\"}'); \
    INSERT INTO lessons (id, course_id, title) VALUES (1, 1, 'Grupos')";

const EVENTS: &str = "INSERT INTO video_player_events (event, recorded_at, user_id, lesson_id, course_id) \
    SELECT 'play', now() - second * interval '1 second', 1, 1, 1 FROM generate_series(1, 1000) AS second";

/// The maximum time that a writer waits: a lock timeout, with a margin for a busy machine.
const MAX_WRITER_WAIT: Duration = Duration::from_secs(3);
/// A reader finishes when a migration has tried to get its locks twice, or after this time.
const READER_TIMEOUT: Duration = Duration::from_secs(6);

/// The product's migrations, and after them examples of migrations that change tables in use.
struct WithExamples;

impl MigrationSource<Pg> for WithExamples {
    fn migrations(&self) -> MigrationResult<Vec<Box<dyn Migration<Pg>>>> {
        let mut migrations = db::MIGRATIONS.migrations()?;
        migrations.extend(FileBasedMigrations::from_path(EXAMPLES)?.migrations()?);
        Ok(migrations)
    }
}

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/migrations/examples");

/// Records events until `stop` is set, and returns the duration of the slowest statement.
async fn write(client: Client, stop: &AtomicBool) -> Duration {
    let mut slowest = Duration::ZERO;
    while !stop.load(Ordering::Relaxed) {
        let began = Instant::now();
        client.batch_execute(RECORD).await.expect("no migration breaks recording");
        slowest = slowest.max(began.elapsed());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    slowest
}

/// Reads the tables that exist in one snapshot, and keeps the transaction open.
async fn open_reader(database: &TestDatabase) -> Client {
    let reader = database.client().await;
    reader.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ").await.unwrap();
    for table in READ_TABLES {
        if exists(&reader, table).await {
            reader.batch_execute(&format!("SELECT count(*) FROM {table}")).await.unwrap();
        }
    }
    reader
}

async fn exists(client: &Client, table: &str) -> bool {
    let row = client.query_one("SELECT to_regclass($1) IS NOT NULL", &[&table]).await.unwrap();
    row.get(0)
}

/// Waits until the migration is done or has tried to get its locks twice, but at most [`READER_TIMEOUT`].
async fn wait_for_second_attempt(client: &Client, is_done: &AtomicBool) {
    let waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() \
                   AND application_name = 'dataporter' AND wait_event_type = 'Lock'";
    let began = Instant::now();
    let (mut attempts, mut was_waiting) = (0, false);
    while !is_done.load(Ordering::Relaxed) && attempts < 2 && began.elapsed() < READER_TIMEOUT {
        let is_waiting = !client.query(waiting, &[]).await.unwrap().is_empty();
        attempts += i32::from(is_waiting && !was_waiting);
        was_waiting = is_waiting;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_migration_makes_a_writer_wait_for_a_reader() {
    let database = TestDatabase::empty().await;
    let client = database.client().await;
    let mut migrator =
        Migrator::open_with(&database.url, WithExamples).await.expect("the database accepts connections");
    let mut last = String::new();
    while !last.ends_with("create_player_event_partitions") {
        last = migrator
            .next()
            .await
            .expect("the migration is applied")
            .expect("a later migration creates the partitions");
    }
    client.batch_execute(LESSON).await.unwrap();
    client.batch_execute(EVENTS).await.unwrap();

    let stop = AtomicBool::new(false);
    let writing = write(database.client().await, &stop);
    let migrating = async {
        let mut slowest = (String::new(), Duration::ZERO);
        loop {
            let reader = open_reader(&database).await;
            let is_done = AtomicBool::new(false);
            let began = Instant::now();
            let next = async {
                let next = migrator.next().await;
                is_done.store(true, Ordering::Relaxed);
                next.expect("the migration is applied once the reader has finished")
            };
            let reading = async {
                wait_for_second_attempt(&client, &is_done).await;
                reader.batch_execute("COMMIT").await.expect("the reader's transaction is still open");
            };
            let (Some(name), ()) = tokio::join!(next, reading) else { break };
            slowest = if began.elapsed() > slowest.1 { (name.clone(), began.elapsed()) } else { slowest };
            last = name;
        }
        stop.store(true, Ordering::Relaxed);
        slowest
    };
    let (slowest, slowest_migration) = tokio::join!(writing, migrating);
    assert!(
        slowest < MAX_WRITER_WAIT,
        "a writer waited {slowest:?}; the slowest migration was {slowest_migration:?}"
    );
    assert_eq!(last, "2099-01-01-000400_index_chapters");
    let chapter_index =
        "SELECT indisvalid FROM pg_index WHERE indexrelid = 'video_player_events_chapter_idx'::regclass";
    assert!(client.query_one(chapter_index, &[]).await.unwrap().get::<_, bool>(0));
}

/// The number of months, the number of their indexes, whether those are all valid, and whether the parent is.
const PARTS: &str = "SELECT count(*), count(part.indexrelid), bool_and(part.indisvalid), \
        (SELECT indisvalid FROM pg_index WHERE indexrelid = 'video_player_events_rate_idx'::regclass) \
    FROM pg_inherits AS months \
    LEFT JOIN (pg_index AS part JOIN pg_inherits AS attached ON attached.inhrelid = part.indexrelid \
        AND attached.inhparent = 'video_player_events_rate_idx'::regclass) ON part.indrelid = months.inhrelid \
    WHERE months.inhparent = 'video_player_events'::regclass";

#[tokio::test(flavor = "multi_thread")]
async fn a_monthly_index_is_built_while_a_writer_is_uncommitted() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    let parent_index = "CREATE INDEX video_player_events_rate_idx ON ONLY video_player_events (playback_rate, recorded_at, id) \
                 WHERE playback_rate <> 1";
    client.batch_execute(parent_index).await.unwrap();

    // An interrupted build leaves an invalid index, which must not be attached.
    let writer = database.client().await;
    writer
        .batch_execute("BEGIN; INSERT INTO video_player_events (event, recorded_at) VALUES ('play', now())")
        .await
        .unwrap();
    let month: String = client
        .query_one("SELECT to_char(now() AT TIME ZONE 'UTC', '\"y\"YYYY\"m\"MM')", &[])
        .await
        .unwrap()
        .get(0);
    let interrupted_build = format!(
        "SET statement_timeout = '200ms'; \
         CREATE INDEX CONCURRENTLY video_player_events_{month}_rate_idx ON video_player_events_{month} (playback_rate)"
    );
    for statement in interrupted_build.split_inclusive("; ") {
        client.batch_execute(statement).await.ok();
    }
    client.batch_execute("RESET statement_timeout").await.unwrap();

    let migrating = db::migrate(&database.url);
    let writing = async {
        // The build of this month waits for the writer, but does not block other writers.
        wait_for_blocked_migration(&client).await;
        client.batch_execute("SET lock_timeout = '1s'").await.unwrap();
        client
            .batch_execute("INSERT INTO video_player_events (event, recorded_at, playback_rate) VALUES ('play', now(), 2)")
            .await
            .expect("another writer is not blocked");
        writer.batch_execute("COMMIT").await.unwrap();
    };
    let (applied, ()) = tokio::join!(migrating, writing);
    assert_eq!(applied.expect("the index is built"), Vec::<String>::new());
    let row = client.query_one(PARTS, &[]).await.unwrap();
    let (months, parts): (i64, i64) = (row.get(0), row.get(1));
    let (are_parts_valid, is_parent_valid): (Option<bool>, bool) = (row.get(2), row.get(3));
    assert_eq!((months, are_parts_valid, is_parent_valid), (parts, Some(true), true));
    let definition = format!("SELECT pg_get_indexdef('video_player_events_{month}_rate_idx'::regclass)");
    let definition: String = client.query_one(&definition, &[]).await.unwrap().get(0);
    assert!(definition.contains("(playback_rate, recorded_at, id) WHERE (playback_rate <> "), "{definition}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_migrator_does_not_block_concurrent_index_builds() {
    let database = TestDatabase::new().await;
    let migrator = Migrator::open(&database.url).await.expect("the database accepts connections");
    let (url, client) = (database.url.clone(), database.client().await);
    let waiting = tokio::spawn(async move { db::migrate(&url).await });
    let advisory_lock_waits = "SELECT FROM pg_stat_activity WHERE datname = current_database() \
                 AND query LIKE '%advisory_lock(7238261054)%' AND pid <> pg_backend_pid()";
    for _ in 0..500 {
        if !client.query(advisory_lock_waits, &[]).await.unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    client.batch_execute("SET statement_timeout = '5s'").await.unwrap();
    client
        .batch_execute("CREATE INDEX CONCURRENTLY ON users (name)")
        .await
        .expect("nothing blocks the build");
    drop(migrator);
    assert_eq!(waiting.await.unwrap().expect("the second migrator runs"), Vec::<String>::new());
}

/// Waits until a migration waits for a lock.
async fn wait_for_blocked_migration(client: &Client) {
    let waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() \
                   AND application_name = 'dataporter' AND wait_event_type = 'Lock'";
    for _ in 0..500 {
        if !client.query(waiting, &[]).await.unwrap().is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no migration waits for a lock");
}
