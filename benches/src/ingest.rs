//! Player events over HTTP beside PostgreSQL's own tools on the same database: one event a request beside `pgbench`
//! inserting the same row, and batches beside `psql \copy` of the same rows, in turns.

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
use crate::series::Series;
use crate::wire::Wire;

/// How much is measured.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Seconds that each side sends single events for, per pair.
    #[arg(long, default_value_t = Arguments::default().seconds)]
    seconds: u64,
    /// Rows that each side takes in batches, per pair.
    #[arg(long, default_value_t = Arguments::default().rows)]
    rows: usize,
    /// Pairs of measurements, after one to warm up.
    #[arg(long, default_value_t = Arguments::default().pairs)]
    pairs: usize,
}

impl Default for Arguments {
    fn default() -> Self {
        Self { seconds: 5, rows: 100_000, pairs: 5 }
    }
}

/// Where players send events.
pub const PATH: &str = "/api/video/progress";
/// Connections that send at once; each waits for one answer before it sends again.
pub const CONNECTIONS: usize = 64;
const BATCH: usize = 100;
/// Connections that send batches.
const BATCH_CONNECTIONS: usize = 8;
/// Rows that are there before anything is measured.
const ROWS_BEFORE: u64 = 100_000;

/// As the tables of the hub have it: `events` made 2,000 viewers from 1001 on, and 60 lessons, ten a course.
const ONE_ROW: &str = r"\set user random(1001, 3000)
\set lesson random(1, 60)
\set second random(0, 1800)
INSERT INTO video_player_events (recorded_at, user_id, course_id, lesson_id, event, provider, playback_seconds,
    watched_seconds, video_duration, playback_rate, context_tag, client_event_id, created_at)
VALUES (now(), :user, 1 + (:lesson - 1) / 10, :lesson, 'play', 'vimeo', :second, 15, 1800, 1, 'player',
    gen_random_uuid(), now());
";

/// Runs both comparisons and prints them.
pub async fn run(arguments: Arguments) -> Result<()> {
    // The private database takes as many connections as the pool may have, and a few more.
    let settings = [("PLAYER_EVENTS_PER_MINUTE", "1000000"), ("DATABASE_POOL_SIZE", "100")];
    let hub = Hub::with_settings(&settings).await?;
    let psql = hub.psql()?;
    events::fill(&psql, ROWS_BEFORE)?;
    psql.run("SELECT ensure_player_event_partitions(now()::date, now()::date)")?;
    let tokens = tokens(&hub).await?;
    single(&hub, &psql, &tokens, &arguments).await?;
    batches(&hub, &psql, &tokens, &arguments).await
}

/// A player token for each connection, each of another viewer.
pub async fn tokens(hub: &Hub) -> Result<Vec<String>> {
    let mut tokens = Vec::new();
    for place in 0..CONNECTIONS {
        let issue = "mutation($user: ID!) { issuePlayerToken(userId: $user) { token } }";
        let issued = hub.graphql(issue, json!({ "user": (1001 + place).to_string() })).await?;
        tokens.push(text(&issued, "/issuePlayerToken/token")?.to_owned());
    }
    Ok(tokens)
}

async fn single(hub: &Hub, psql: &Psql, tokens: &[String], arguments: &Arguments) -> Result<()> {
    let script = hub.directory().join("one-row.sql");
    std::fs::write(&script, ONE_ROW)?;
    let time = Duration::from_secs(arguments.seconds);
    let (mut ours, mut theirs, mut answers) = (Rates::default(), Rates::default(), Series::default());
    for pair in 0..=arguments.pairs {
        let before = count(psql)?;
        let (latencies, took) = send_for(time, &hub.address, tokens).await?;
        ensure!(count(psql)? == before + latencies.len(), "What was answered is not what is stored");
        let reference = psql.pgbench(&script, CONNECTIONS, arguments.seconds)?;
        if pair > 0 {
            ours.add(latencies.len(), took);
            theirs.0.push(reference);
            answers.extend(latencies);
        }
    }
    println!("\none event a request, {CONNECTIONS} connections, each answered after its commit");
    println!("  over HTTP         {ours}");
    println!("  pgbench           {theirs}");
    println!("  ratio of medians  {:.2}   (to reach: at least 2)", ours.median() / theirs.median());
    println!(
        "  time to answer    p50 {:.1} ms   p99 {:.1} ms",
        millis(answers.percentile(50)),
        millis(answers.percentile(99))
    );
    Ok(())
}

async fn batches(hub: &Hub, psql: &Psql, tokens: &[String], arguments: &Arguments) -> Result<()> {
    let (mut ours, mut theirs, mut answers) = (Rates::default(), Rates::default(), Series::default());
    for pair in 0..=arguments.pairs {
        let before = count(psql)?;
        let (latencies, took) = send_batches(arguments.rows, &hub.address, tokens).await?;
        ensure!(count(psql)? == before + latencies.len() * BATCH, "What was answered is not what is stored");
        let file = hub.directory().join("rows.csv");
        write_rows(&file, arguments.rows, chrono_now(psql)?)?;
        let columns = "recorded_at, user_id, course_id, lesson_id, event, provider, playback_seconds, \
                       watched_seconds, video_duration, playback_rate, context_tag, client_event_id";
        let copy = format!(r"\copy video_player_events ({columns}) from '{}' csv", file.display());
        let reference = psql.time(&copy)?;
        if pair > 0 {
            ours.add(latencies.len() * BATCH, took);
            theirs.add(arguments.rows, reference);
            answers.extend(latencies);
        }
    }
    println!("\nbatches of {BATCH}, {BATCH_CONNECTIONS} connections");
    println!("  over HTTP         {ours}");
    println!("  psql \\copy        {theirs}");
    println!("  ratio of medians  {:.2}   (to reach: at least 0.5)", ours.median() / theirs.median());
    println!(
        "  time to answer    p50 {:.1} ms   p99 {:.1} ms",
        millis(answers.percentile(50)),
        millis(answers.percentile(99))
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

/// Sends one event after the other on every connection for this long.
async fn send_for(time: Duration, address: &str, tokens: &[String]) -> Result<(Vec<Duration>, Duration)> {
    let began = Instant::now();
    let senders = tokens.iter().map(|token| {
        let (address, token) = (address.to_owned(), token.clone());
        async move {
            let mut wire = Wire::connect(&address, PATH, &token).await?;
            let mut latencies = Vec::new();
            while began.elapsed() < time {
                latencies.push(post(&mut wire, &body(1)).await?);
            }
            Ok(latencies)
        }
    });
    Ok((gather(senders).await?, began.elapsed()))
}

/// Sends so many events in batches over a few connections.
async fn send_batches(rows: usize, address: &str, tokens: &[String]) -> Result<(Vec<Duration>, Duration)> {
    let each = rows / BATCH / BATCH_CONNECTIONS;
    // The player would have made them long before; the time to write them down is not the hub's.
    let bodies: Vec<Vec<String>> =
        (0..BATCH_CONNECTIONS).map(|_| (0..each).map(|_| body(BATCH)).collect()).collect();
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

/// What all senders measured, once all are done.
pub async fn gather(
    senders: impl Iterator<Item = impl Future<Output = Result<Vec<Duration>>> + Send + 'static>,
) -> Result<Vec<Duration>> {
    let mut tasks: JoinSet<Result<Vec<Duration>>> = senders.collect();
    let mut latencies = Vec::new();
    while let Some(sent) = tasks.join_next().await {
        latencies.extend(sent.context("A sender broke down")??);
    }
    Ok(latencies)
}

/// Posts events, all of which must be recorded, and measures how long the answer takes.
pub async fn post(wire: &mut Wire, body: &str) -> Result<Duration> {
    let sent = Instant::now();
    let answer = wire.post(body).await?;
    let refused = answer.windows(12).any(|window| window == b"\"eventId\":nu");
    ensure!(!refused, "Refused: {}", String::from_utf8_lossy(answer));
    Ok(sent.elapsed())
}

/// So many events as the player sends them.
fn body(events: usize) -> String {
    let mut body = String::from("{\"events\":[");
    for place in 0..events {
        let comma = if place == 0 { "" } else { "," };
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

/// The same rows as a file that the database reads.
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

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Events a second, measured several times.
#[derive(Default)]
pub struct Rates(Vec<f64>);

impl Rates {
    /// Adds a measurement.
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
    pub fn add(&mut self, events: usize, time: Duration) {
        self.0.push(events as f64 / time.as_secs_f64());
    }

    fn sorted(&self) -> Vec<f64> {
        let mut rates = self.0.clone();
        rates.sort_by(f64::total_cmp);
        rates
    }

    /// The one in the middle.
    pub fn median(&self) -> f64 {
        self.sorted().get(self.0.len() / 2).copied().unwrap_or_default()
    }
}

impl std::fmt::Display for Rates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rates = self.sorted();
        let ends = [rates.first(), rates.last()].map(|rate| rate.copied().unwrap_or_default());
        write!(f, "min {:.0}   median {:.0}   max {:.0} events/s", ends[0], self.median(), ends[1])
    }
}
