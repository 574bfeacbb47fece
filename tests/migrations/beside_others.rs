//! Migrations beside an open reader and a writer: the reader keeps its snapshot, the writer hardly waits, and the migration
//! is applied once the reader is gone.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use backend::db;
use backend::db::migrator::Migrator;
use tokio_postgres::Client;

use crate::harness::database::TestDatabase;

/// The tables that an export reads for a long time.
const READ: [&str; 4] =
    ["video_player_events", "student_activity_snapshots", "teacher_activity_snapshots", "video_progress"];

/// Like the statement that records: it looks users and lessons up before it writes.
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

/// A lock timeout, and much time for a machine that is busy with other tests; less than a reader stays.
const HARDLY: Duration = Duration::from_secs(3);
/// A reader goes when a migration has tried for the second time, and otherwise after this.
const READER_STAYS: Duration = Duration::from_secs(6);

/// Records until told to stop, and answers with how long the slowest statement took.
async fn write(client: Client, stop: &AtomicBool) -> Duration {
    let mut slowest = Duration::ZERO;
    while !stop.load(Ordering::Relaxed) {
        let began = Instant::now();
        client.batch_execute(RECORD).await.expect("no migration breaks it");
        slowest = slowest.max(began.elapsed());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    slowest
}

/// Reads what there is of the tables in one snapshot, which stays open.
async fn open_reader(database: &TestDatabase) -> Client {
    let reader = database.client().await;
    reader.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ").await.unwrap();
    for table in READ {
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

/// Returns when the migration is done, or waits for locks for the second time, or the reader has stayed long enough.
async fn migration_gives_way(client: &Client, is_done: &AtomicBool) {
    let waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() \
                   AND application_name = 'dataporter' AND wait_event_type = 'Lock'";
    let began = Instant::now();
    let (mut tries, mut waited) = (0, false);
    while !is_done.load(Ordering::Relaxed) && tries < 2 && began.elapsed() < READER_STAYS {
        let waits = !client.query(waiting, &[]).await.unwrap().is_empty();
        tries += i32::from(waits && !waited);
        waited = waits;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_migration_keeps_a_writer_waiting_for_a_reader() {
    let database = TestDatabase::empty().await;
    let client = database.client().await;
    let mut migrator = Migrator::open(&database.url).await.expect("it is there");
    let mut last = String::new();
    while !exists(&client, "video_player_events").await {
        last = migrator.next().await.expect("it is applied").expect("there are more");
        if last.ends_with("create_lessons") {
            client.batch_execute(LESSON).await.unwrap();
        }
    }
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
                next.expect("it is applied once the reader is gone")
            };
            let reading = async {
                migration_gives_way(&client, &is_done).await;
                reader.batch_execute("COMMIT").await.expect("nobody broke it off");
            };
            let (Some(name), ()) = tokio::join!(next, reading) else { break };
            slowest = if began.elapsed() > slowest.1 { (name.clone(), began.elapsed()) } else { slowest };
            last = name;
        }
        stop.store(true, Ordering::Relaxed);
        slowest
    };
    let (slowest, slowest_migration) = tokio::join!(writing, migrating);
    assert!(slowest < HARDLY, "a writer waited {slowest:?}; the slowest migration was {slowest_migration:?}");
    assert_eq!(db::pending(&database.url).await.unwrap(), Vec::<String>::new(), "{last} is the last");
}

/// What each month has of an index, whether it is good, and whether the whole is.
const PARTS: &str = "SELECT count(*), count(part.indexrelid), bool_and(part.indisvalid), \
        (SELECT indisvalid FROM pg_index WHERE indexrelid = 'video_player_events_rate_idx'::regclass) \
    FROM pg_inherits AS months \
    LEFT JOIN (pg_index AS part JOIN pg_inherits AS attached ON attached.inhrelid = part.indexrelid \
        AND attached.inhparent = 'video_player_events_rate_idx'::regclass) ON part.indrelid = months.inhrelid \
    WHERE months.inhparent = 'video_player_events'::regclass";

#[tokio::test(flavor = "multi_thread")]
async fn an_index_of_all_months_is_built_month_by_month_beside_a_writer_who_has_not_committed() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    let whole = "CREATE INDEX video_player_events_rate_idx ON ONLY video_player_events (playback_rate, recorded_at, id) \
                 WHERE playback_rate <> 1";
    client.batch_execute(whole).await.unwrap();

    // What an interrupted build leaves behind, which is not good and must not be attached.
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
    let part = format!(
        "SET statement_timeout = '200ms'; \
         CREATE INDEX CONCURRENTLY video_player_events_{month}_rate_idx ON video_player_events_{month} (playback_rate)"
    );
    for statement in part.split_inclusive("; ") {
        client.batch_execute(statement).await.ok();
    }
    client.batch_execute("RESET statement_timeout").await.unwrap();

    let migrating = db::migrate(&database.url);
    let writing = async {
        // The build of this month waits for the writer, and lets others write.
        wait_for_waiting(&client).await;
        client.batch_execute("SET lock_timeout = '1s'").await.unwrap();
        client
            .batch_execute("INSERT INTO video_player_events (event, recorded_at, playback_rate) VALUES ('play', now(), 2)")
            .await
            .expect("it waits for nobody");
        writer.batch_execute("COMMIT").await.unwrap();
    };
    let (applied, ()) = tokio::join!(migrating, writing);
    assert_eq!(applied.expect("it is built"), Vec::<String>::new());
    let row = client.query_one(PARTS, &[]).await.unwrap();
    let (months, parts): (i64, i64) = (row.get(0), row.get(1));
    let (are_parts_valid, is_whole_valid): (Option<bool>, bool) = (row.get(2), row.get(3));
    assert_eq!((months, are_parts_valid, is_whole_valid), (parts, Some(true), true));
    let definition = format!("SELECT pg_get_indexdef('video_player_events_{month}_rate_idx'::regclass)");
    let definition: String = client.query_one(&definition, &[]).await.unwrap().get(0);
    assert!(definition.contains("(playback_rate, recorded_at, id) WHERE (playback_rate <> "), "{definition}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_waits_for_its_turn_keeps_no_concurrent_build_waiting() {
    let database = TestDatabase::new().await;
    let migrator = Migrator::open(&database.url).await.expect("it is there");
    let (url, client) = (database.url.clone(), database.client().await);
    let waiting = tokio::spawn(async move { db::migrate(&url).await });
    let asked = "SELECT FROM pg_stat_activity WHERE datname = current_database() \
                 AND query LIKE '%advisory_lock(7238261054)%' AND pid <> pg_backend_pid()";
    for _ in 0..500 {
        if !client.query(asked, &[]).await.unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    client.batch_execute("SET statement_timeout = '5s'").await.unwrap();
    client.batch_execute("CREATE INDEX CONCURRENTLY ON users (name)").await.expect("nobody is in its way");
    drop(migrator);
    assert_eq!(waiting.await.unwrap().expect("its turn comes"), Vec::<String>::new());
}

async fn wait_for_waiting(client: &Client) {
    let waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() \
                   AND application_name = 'dataporter' AND wait_event_type = 'Lock'";
    for _ in 0..500 {
        if !client.query(waiting, &[]).await.unwrap().is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no migration waits");
}
