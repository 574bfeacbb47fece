//! Compares events of the learning platform over HTTP with `pgbench` doing the same two writes on the same database, and
//! measures the attendance command.

use std::fmt::Write as _;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use uuid::Uuid;

use crate::child::ChildGuard;
use crate::hub::Hub;
use crate::ingest::gather;
use crate::memory::MemoryWatch;
use crate::psql::Psql;
use crate::rates::Rates;
use crate::series::Series;
use crate::wire::Wire;

/// The size of the benchmark.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Seconds per measurement.
    #[arg(long, default_value_t = Arguments::default().seconds)]
    seconds: u64,
    /// Number of measurement pairs, after one pair to warm up.
    #[arg(long, default_value_t = Arguments::default().pairs)]
    pairs: usize,
    /// Practices whose attendance is recorded, with 50 reservations each.
    #[arg(long, default_value_t = Arguments::default().practices)]
    practices: u64,
}

impl Default for Arguments {
    fn default() -> Self {
        Self { seconds: 5, pairs: 5, practices: 2_000 }
    }
}

/// Concurrent connections. Each waits for the response before it sends the next request.
const CONNECTIONS: usize = 16;
/// Practices and students. A pair of both reserves one seat.
const PRACTICES: u64 = 2_000;
const STUDENTS: u64 = 5_000;
/// The sizes of the calls.
const CALL_SIZES: [usize; 2] = [1, 100];

const ROWS: &str = "\
    INSERT INTO users (id, name, email, role) \
        SELECT id, 'S' || id, 's' || id || '@example.org', 'student' FROM generate_series(10001, 15000) AS id;
    INSERT INTO courses (id, slug, titles) SELECT id, 'c' || id, '{\"es\": \"C\"}' FROM generate_series(1, 6) AS id;
    INSERT INTO lessons (id, course_id, title) SELECT id, 1 + (id - 1) / 10, 'L' || id FROM generate_series(1, 60) AS id;
    INSERT INTO discord_practices (id, lesson_id, title, start_at, capacity) \
        SELECT id, 1 + id % 60, 'P' || id, now() + interval '30 days', 1000000 FROM generate_series(1, 2000) AS id;
    ANALYZE users, courses, lessons, discord_practices";

/// The two writes of a reservation.
const WRITES: &str = r#"\set practice random(1, 2000)
\set student random(10001, 15000)
BEGIN;
INSERT INTO discord_practice_reservations (practice_id, user_id) VALUES (:practice, :student) ON CONFLICT DO NOTHING;
INSERT INTO student_activity_snapshots (captured_at, user_id, course_id, lesson_id, value, category, scope, payload)
    VALUES (now(), :student, 1 + (:practice % 60) / 10, 1 + :practice % 60, 1, 'practice_reservation', 'discord_practice',
        '{"practice_id": 1, "practice_title": "P1", "practice_type": "cohort", "cohort_label": null,
          "start_at": "2026-12-01T00:00:00Z", "reservation_id": 1000000001, "reservation_status": "confirmed"}');
COMMIT;
"#;

/// Runs the comparison and the command, and prints both.
pub async fn run(arguments: Arguments) -> Result<()> {
    let hub = Hub::with_settings(&[("DATABASE_POOL_SIZE", "24")]).await?;
    let psql = hub.psql()?;
    psql.run(ROWS)?;
    for size in CALL_SIZES {
        compare(&hub, &psql, size, &arguments).await?;
    }
    attendance(&hub, &psql, arguments.practices).await
}

async fn compare(hub: &Hub, psql: &Psql, size: usize, arguments: &Arguments) -> Result<()> {
    let script = hub.directory().join("writes.sql");
    std::fs::write(&script, WRITES)?;
    let (mut ours, mut theirs, mut times) = (Rates::default(), Rates::default(), Series::default());
    for pair in 0..=arguments.pairs {
        psql.run("TRUNCATE discord_practice_reservations, student_activity_snapshots, platform_events")?;
        let (latencies, elapsed) = publish_for(hub, size, Duration::from_secs(arguments.seconds)).await?;
        let applied = latencies.len() * size;
        let stored: usize = psql.run("SELECT count(*) FROM platform_events")?.parse()?;
        ensure!(stored == applied, "{stored} events are stored, {applied} were acknowledged");
        psql.run("TRUNCATE discord_practice_reservations, student_activity_snapshots, platform_events")?;
        let reference = psql.pgbench(&script, CONNECTIONS, arguments.seconds)?;
        if pair > 0 {
            ours.add(applied, elapsed);
            theirs.add_rate(reference);
            times.extend(latencies);
        }
    }
    let millis = |percent| times.percentile(percent).as_secs_f64() * 1000.0;
    println!(
        "\nreservations, {size} per call, {CONNECTIONS} connections, each response sent after the commit"
    );
    println!("  over HTTP         {ours}");
    println!("  pgbench           {theirs}");
    println!("  ratio of medians  {:.2}", ours.median() / theirs.median());
    println!("  response time     p50 {:.1} ms   p99 {:.1} ms", millis(50), millis(99));
    Ok(())
}

/// Publishes one call after another on every connection for this long.
async fn publish_for(hub: &Hub, size: usize, duration: Duration) -> Result<(Vec<Duration>, Duration)> {
    let next = Arc::new(AtomicU64::new(0));
    let began = Instant::now();
    let senders = (0..CONNECTIONS).map(|_| {
        let (address, token) = (hub.address.clone(), hub.access_token().to_owned());
        let next = Arc::clone(&next);
        async move {
            let mut wire = Wire::connect(&address, "/graphql", &token).await?;
            let mut latencies = Vec::new();
            while began.elapsed() < duration {
                let body = body(size, next.fetch_add(size as u64, Ordering::Relaxed));
                let sent_at = Instant::now();
                let response = wire.post(&body).await?;
                let applied = response.windows(14).filter(|window| window == b"\"applied\":true").count();
                ensure!(applied == size, "Events refused: {}", String::from_utf8_lossy(response));
                latencies.push(sent_at.elapsed());
            }
            Ok(latencies)
        }
    });
    Ok((gather(senders).await?, began.elapsed()))
}

/// A call with this many reservations. No two of them are of the same practice and student.
fn body(size: usize, first: u64) -> String {
    let mut events = String::new();
    for number in first..first + size as u64 {
        let (practice, student) = (1 + number % PRACTICES, 10_001 + number / PRACTICES % STUDENTS);
        let comma = if number == first { "" } else { "," };
        // Writing to a string cannot fail.
        let _ = write!(
            events,
            "{comma}{{\"practiceReserved\":{{\"eventId\":\"{}\",\"practiceId\":\"{practice}\",\"userId\":\"{student}\"}}}}",
            Uuid::new_v4()
        );
    }
    format!(
        "{{\"query\":\"mutation($events:[PlatformEventInput!]!){{publishPlatformEvents(events:$events){{applied \
         error{{reason}}}}}}\",\"variables\":{{\"events\":[{events}]}}}}"
    )
}

/// Records the attendance of ended practices by the command, and prints its time and memory.
async fn attendance(hub: &Hub, psql: &Psql, practices: u64) -> Result<()> {
    psql.run(&format!(
        "TRUNCATE discord_practice_reservations, student_activity_snapshots, platform_events;
        INSERT INTO discord_practices (id, lesson_id, title, start_at) \
            SELECT 100000 + id, 1 + id % 60, 'Ended', now() - interval '1 day' - id * interval '1 minute' \
            FROM generate_series(1, {practices}) AS id;
        INSERT INTO discord_practice_reservations (practice_id, user_id, status, reserved_at, cancelled_at) \
            SELECT 100000 + practice, 10000 + place, CASE WHEN place % 10 = 0 THEN 'cancelled' ELSE 'confirmed' END, \
                now() - interval '90 days', CASE WHEN place % 10 = 0 THEN now() - interval '80 days' END \
            FROM generate_series(1, {practices}) AS practice, generate_series(1, 50) AS place;
        ANALYZE discord_practices, discord_practice_reservations"
    ))?;
    let limit = practices.to_string();
    let began = Instant::now();
    let mut command = hub.command()?;
    let command =
        command.args(["practices:sync-attendance", "--json", "--limit", &limit]).stdout(Stdio::piped());
    let mut command = ChildGuard::new(command.spawn().context("Failed to run the command")?);
    let memory = MemoryWatch::start(command.id());
    let output = command.take_stdout().context("Failed to read the output of the command")?;
    let report = tokio::task::spawn_blocking(|| std::io::read_to_string(output)).await??;
    let took = began.elapsed();
    let peak = memory.peak();
    let snapshots: u64 = psql.run("SELECT count(*) FROM student_activity_snapshots")?.parse()?;
    ensure!(snapshots == practices * 50, "{snapshots} snapshots were recorded: {report}");
    println!("\nattendance of {practices} practices with 50 reservations each, by the command");
    println!("  duration          {:.1} s   (target for 2,000: below 30 s)", took.as_secs_f64());
    println!("  memory            {} MiB at most", peak / 1024);
    Ok(())
}
