//! Compares recording player events over HTTP with PostgreSQL's tools on the same database, in alternation:
//! one event per request with `pgbench` inserting the same row, and batches with `psql \copy` of the same
//! rows.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use chrono::{DateTime, Utc};
use serde_json::json;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::events;
use crate::hub::{Hub, text};
use crate::psql::Psql;
use crate::rates::Rates;
use crate::series::Series;
use crate::wire::Wire;

/// The size of the benchmark.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Seconds of single events per measurement.
    #[arg(long, default_value_t = Arguments::default().seconds)]
    seconds: u64,
    /// Number of rows in batches per measurement.
    #[arg(long, default_value_t = Arguments::default().rows)]
    rows: usize,
    /// Number of measurement pairs, after one pair to warm up.
    #[arg(long, default_value_t = Arguments::default().pairs)]
    pairs: usize,
}

impl Default for Arguments {
    fn default() -> Self {
        Self { seconds: 5, rows: 100_000, pairs: 5 }
    }
}

/// The path that players send events to.
pub const PATH: &str = "/api/video/progress";
/// Concurrent connections. Each waits for the response before it sends the next request.
pub const CONNECTIONS: usize = 64;
const BATCH_SIZE: usize = 100;
/// Concurrent connections that send batches.
const BATCH_CONNECTIONS: usize = 8;
/// Rows in the table before the first measurement.
const INITIAL_ROWS: u64 = 100_000;

/// Inserts one row with ids that exist: `events` creates 2,000 viewers from 1001 on and 60 lessons, ten per
/// course.
const INSERT_ROW: &str = r"\set user random(1001, 3000)
\set lesson random(1, 60)
\set second random(0, 1800)
INSERT INTO video_player_events (recorded_at, user_id, course_id, lesson_id, event, provider, playback_seconds,
    watched_seconds, video_duration, playback_rate, context_tag, client_event_id, created_at)
VALUES (now(), :user, 1 + (:lesson - 1) / 10, :lesson, 'play', 'vimeo', :second, 15, 1800, 1, 'player',
    gen_random_uuid(), now());
";

/// Runs both comparisons and prints them.
pub async fn run(arguments: Arguments) -> Result<()> {
    // The embedded database allows slightly more connections than the pool uses.
    let settings = [("PLAYER_EVENTS_PER_MINUTE", "1000000"), ("DATABASE_POOL_SIZE", "100")];
    let hub = Hub::with_settings(&settings).await?;
    let psql = hub.psql()?;
    events::fill(&psql, INITIAL_ROWS)?;
    psql.run("SELECT ensure_player_event_partitions(now()::date, now()::date)")?;
    let tokens = tokens(&hub).await?;
    single(&hub, &psql, &tokens, &arguments).await?;
    batches(&hub, &psql, &tokens, &arguments).await
}

/// Creates a player token for each connection, each for a different viewer.
pub async fn tokens(hub: &Hub) -> Result<Vec<String>> {
    let mut tokens = Vec::new();
    for index in 0..CONNECTIONS {
        let issue = "mutation($user: ID!) { issuePlayerToken(userId: $user) { token } }";
        let issued = hub.graphql(issue, json!({ "user": (1001 + index).to_string() })).await?;
        tokens.push(text(&issued, "/issuePlayerToken/token")?.to_owned());
    }
    Ok(tokens)
}

async fn single(hub: &Hub, psql: &Psql, tokens: &[String], arguments: &Arguments) -> Result<()> {
    let script = hub.directory().join("one-row.sql");
    std::fs::write(&script, INSERT_ROW)?;
    let duration = Duration::from_secs(arguments.seconds);
    let (mut ours, mut theirs, mut response_times) = (Rates::default(), Rates::default(), Series::default());
    for pair in 0..=arguments.pairs {
        let before = count(psql)?;
        let (latencies, elapsed) = send_for(duration, &hub.address, tokens).await?;
        ensure!(
            count(psql)? == before + latencies.len(),
            "The number of stored events differs from the number of acknowledged ones"
        );
        let reference = psql.pgbench(&script, CONNECTIONS, arguments.seconds)?;
        if pair > 0 {
            ours.add(latencies.len(), elapsed);
            theirs.add_rate(reference);
            response_times.extend(latencies);
        }
    }
    println!("\none event per request, {CONNECTIONS} connections, each response sent after the commit");
    println!("  over HTTP         {ours}");
    println!("  pgbench           {theirs}");
    println!("  ratio of medians  {:.2}   (target: at least 2)", ours.median() / theirs.median());
    println!(
        "  response time     p50 {:.1} ms   p99 {:.1} ms",
        millis(response_times.percentile(50)),
        millis(response_times.percentile(99))
    );
    Ok(())
}

async fn batches(hub: &Hub, psql: &Psql, tokens: &[String], arguments: &Arguments) -> Result<()> {
    let (mut ours, mut theirs, mut response_times) = (Rates::default(), Rates::default(), Series::default());
    for pair in 0..=arguments.pairs {
        let before = count(psql)?;
        let (latencies, elapsed) = send_batches(arguments.rows, &hub.address, tokens).await?;
        ensure!(
            count(psql)? == before + latencies.len() * BATCH_SIZE,
            "The number of stored events differs from the number of acknowledged ones"
        );
        let file = hub.directory().join("rows.csv");
        write_rows(&file, arguments.rows, chrono_now(psql)?)?;
        let columns = "recorded_at, user_id, course_id, lesson_id, event, provider, playback_seconds, \
                       watched_seconds, video_duration, playback_rate, context_tag, client_event_id";
        let copy = format!(r"\copy video_player_events ({columns}) from '{}' csv", file.display());
        let reference = psql.time(&copy)?;
        if pair > 0 {
            ours.add(latencies.len() * BATCH_SIZE, elapsed);
            theirs.add(arguments.rows, reference);
            response_times.extend(latencies);
        }
    }
    println!("\nbatches of {BATCH_SIZE}, {BATCH_CONNECTIONS} connections");
    println!("  over HTTP         {ours}");
    println!("  psql \\copy        {theirs}");
    println!("  ratio of medians  {:.2}   (target: at least 0.5)", ours.median() / theirs.median());
    println!(
        "  response time     p50 {:.1} ms   p99 {:.1} ms",
        millis(response_times.percentile(50)),
        millis(response_times.percentile(99))
    );
    Ok(())
}

fn count(psql: &Psql) -> Result<usize> {
    Ok(psql.run("SELECT count(*) FROM video_player_events")?.parse()?)
}

fn chrono_now(psql: &Psql) -> Result<DateTime<Utc>> {
    let now = psql.run("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')")?;
    Ok(now.parse()?)
}

/// Sends one event after another on every connection for this long.
async fn send_for(duration: Duration, address: &str, tokens: &[String]) -> Result<(Vec<Duration>, Duration)> {
    let began = Instant::now();
    let senders = tokens.iter().map(|token| {
        let (address, token) = (address.to_owned(), token.clone());
        async move {
            let mut wire = Wire::connect(&address, PATH, &token).await?;
            let mut latencies = Vec::new();
            while began.elapsed() < duration {
                latencies.push(post(&mut wire, &body(1)).await?);
            }
            Ok(latencies)
        }
    });
    Ok((gather(senders).await?, began.elapsed()))
}

/// Sends this many events in batches over a few connections.
async fn send_batches(rows: usize, address: &str, tokens: &[String]) -> Result<(Vec<Duration>, Duration)> {
    let batches_per_connection = rows / BATCH_SIZE / BATCH_CONNECTIONS;
    // The bodies are created first, so that the measurement does not include it.
    let bodies: Vec<Vec<String>> = (0..BATCH_CONNECTIONS)
        .map(|_| (0..batches_per_connection).map(|_| body(BATCH_SIZE)).collect())
        .collect();
    let began = Instant::now();
    let senders = tokens.iter().zip(bodies).map(|(token, bodies)| {
        let (address, token) = (address.to_owned(), token.clone());
        async move {
            let mut wire = Wire::connect(&address, PATH, &token).await?;
            let mut latencies = Vec::new();
            for body in bodies {
                latencies.push(post(&mut wire, &body).await?);
            }
            Ok(latencies)
        }
    });
    Ok((gather(senders).await?, began.elapsed()))
}

/// Waits for all senders and collects their measurements.
pub async fn gather(
    senders: impl Iterator<Item = impl Future<Output = Result<Vec<Duration>>> + Send + 'static>,
) -> Result<Vec<Duration>> {
    let mut tasks: JoinSet<Result<Vec<Duration>>> = senders.collect();
    let mut latencies = Vec::new();
    while let Some(result) = tasks.join_next().await {
        latencies.extend(result.context("A sender panicked")??);
    }
    Ok(latencies)
}

/// Posts events and returns the response time. Fails if any event was not recorded.
pub async fn post(wire: &mut Wire, body: &str) -> Result<Duration> {
    let sent_at = Instant::now();
    let response = wire.post(body).await?;
    let is_rejected = response.windows(12).any(|window| window == b"\"eventId\":nu");
    ensure!(!is_rejected, "Event rejected: {}", String::from_utf8_lossy(response));
    Ok(sent_at.elapsed())
}

/// A request body with this many events, as the player sends them.
fn body(events: usize) -> String {
    let mut body = String::from("{\"events\":[");
    for index in 0..events {
        let comma = if index == 0 { "" } else { "," };
        let id = Uuid::new_v4();
        let (lesson, second) = (1 + id.as_u128() % 60, id.as_u128() % 1800);
        // Writing to a string cannot fail.
        let _ = write!(
            body,
            "{comma}{{\"clientEventId\":\"{id}\",\"event\":\"play\",\"lessonId\":\"{lesson}\",\"provider\":\"vimeo\",\
             \"playbackSeconds\":{second},\"watchedSeconds\":15,\"videoDuration\":1800}}"
        );
    }
    body.push_str("]}");
    body
}

/// Writes the same rows to a CSV file for the database.
fn write_rows(file: &Path, rows: usize, now: DateTime<Utc>) -> Result<PathBuf> {
    let mut writer = csv::Writer::from_path(file)?;
    for _ in 0..rows {
        let id = Uuid::new_v4();
        let (user, lesson, second) = (1001 + id.as_u128() % 64, 1 + id.as_u128() % 60, id.as_u128() % 1800);
        let course = 1 + (lesson - 1) / 10;
        writer.write_record([
            &now.to_rfc3339(),
            &user.to_string(),
            &course.to_string(),
            &lesson.to_string(),
            "play",
            "vimeo",
            &second.to_string(),
            "15",
            "1800",
            "1",
            "player",
            &id.to_string(),
        ])?;
    }
    writer.flush()?;
    Ok(file.to_owned())
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
