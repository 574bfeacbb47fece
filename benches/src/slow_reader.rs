//! Compares recording alone with recording during a slow download of an export, in alternation.
//!
//! The players send progress of a few viewers repeatedly, so that the same rows of `video_progress` change
//! constantly. A concurrent open transaction prevents PostgreSQL from removing their dead row versions, which
//! slows down each update.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use reqwest::Response;
use serde_json::json;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use uuid::Uuid;

use crate::events;
use crate::hub::Hub;
use crate::ingest::{self, PATH, gather, post, tokens};
use crate::psql::Psql;
use crate::rates::Rates;
use crate::series::Series;
use crate::wire::Wire;

/// The size of the benchmark.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Number of rows in the exported table.
    #[arg(long, default_value_t = Arguments::default().events)]
    events: u64,
    /// Seconds of recording per measurement.
    #[arg(long, default_value_t = Arguments::default().seconds)]
    seconds: u64,
    /// Number of measurement pairs, after a short recording to warm up.
    #[arg(long, default_value_t = Arguments::default().pairs)]
    pairs: usize,
    /// EXPORT_SPOOL_MAX_BYTES of the hub. With 0, the export waits for its reader.
    #[arg(long, default_value_t = Arguments::default().spool_max_bytes)]
    spool_max_bytes: u64,
}

impl Default for Arguments {
    fn default() -> Self {
        Self { events: 1_000_000, seconds: 30, pairs: 3, spool_max_bytes: 2 << 30 }
    }
}

/// Download speed of the reader.
const BYTES_PER_SECOND: u32 = 40_000;

/// The age in seconds of the oldest transaction that prevents PostgreSQL from removing dead rows.
const OLDEST_TRANSACTION: &str = "SELECT coalesce(extract(epoch FROM max(now() - xact_start)), 0)::numeric(9, 1) \
    FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND backend_xmin IS NOT NULL";

/// Runs the comparison and prints it.
pub async fn run(arguments: Arguments) -> Result<()> {
    let spool_max_bytes = arguments.spool_max_bytes.to_string();
    let settings = [
        ("PLAYER_EVENTS_PER_MINUTE", "1000000"),
        ("DATABASE_POOL_SIZE", "100"),
        ("EXPORT_SPOOL_MAX_BYTES", spool_max_bytes.as_str()),
    ];
    let hub = Hub::with_settings(&settings).await?;
    let psql = hub.psql()?;
    events::fill(&psql, arguments.events)?;
    psql.run("SELECT ensure_player_event_partitions(now()::date, now()::date)")?;
    let tokens = tokens(&hub).await?;
    let duration = Duration::from_secs(arguments.seconds);
    record(duration.min(Duration::from_secs(5)), &hub.address, &tokens).await?;
    let (mut alone, mut concurrent) = (Recorded::default(), Recorded::default());
    let mut first_bytes = Series::default();
    for _ in 0..arguments.pairs {
        alone.add(record(duration, &hub.address, &tokens).await?);
        let reader = Reader::start(&hub).await?;
        first_bytes.add(reader.first_byte);
        concurrent.add(record(duration, &hub.address, &tokens).await?);
        ensure!(
            !reader.task.is_finished(),
            "The download ended during the measurement: the file is too small, or the connection broke"
        );
        println!(
            "with a slow reader: {:.0} events/s, oldest transaction {} s at the end",
            concurrent.last,
            oldest_transaction(&psql)?
        );
        reader.stop(&hub, &psql).await?;
    }
    println!("\nprogress of 64 viewers, one event per request, {} connections", ingest::CONNECTIONS);
    println!("  alone                   {}   p99 {:.1} ms", alone.rates, alone.p99());
    println!("  with a slow reader      {}   p99 {:.1} ms", concurrent.rates, concurrent.p99());
    println!(
        "  ratio of medians        {:.2}   (target: 1)",
        concurrent.rates.median() / alone.rates.median()
    );
    println!("  first byte              {first_bytes}   (target: less than 0.100 s)");
    Ok(())
}

/// The measurements of several recordings.
#[derive(Default)]
struct Recorded {
    rates: Rates,
    response_times: Series,
    last: f64,
}

impl Recorded {
    #[expect(clippy::cast_precision_loss, reason = "the counts are far below 2^52")]
    fn add(&mut self, (latencies, elapsed): (Vec<Duration>, Duration)) {
        self.rates.add(latencies.len(), elapsed);
        self.last = latencies.len() as f64 / elapsed.as_secs_f64();
        self.response_times.extend(latencies);
    }

    fn p99(&self) -> f64 {
        self.response_times.percentile(99).as_secs_f64() * 1000.0
    }
}

/// A client that downloads an export of all player events at [`BYTES_PER_SECOND`].
struct Reader {
    first_byte: Duration,
    task: JoinHandle<Result<()>>,
}

impl Reader {
    async fn start(hub: &Hub) -> Result<Self> {
        let file = json!({ "dataset": "video_player_events", "format": "csv", "headers": "keys" });
        let link = hub.link(&file).await?;
        let began = Instant::now();
        let mut response = hub.download(&link).await?;
        let first = response.chunk().await?.context("The file is empty")?;
        let first_byte = began.elapsed();
        Ok(Self { first_byte, task: tokio::spawn(read(response, first.len())) })
    }

    /// Closes the connection, and waits until the server has noticed.
    async fn stop(self, hub: &Hub, psql: &Psql) -> Result<()> {
        self.task.abort();
        let running = "{ exportAudits(first: 1) { nodes { outcome } } }";
        let began = Instant::now();
        while hub.graphql(running, json!({})).await?["exportAudits"]["nodes"][0]["outcome"] == "RUNNING" {
            ensure!(began.elapsed() < Duration::from_mins(1), "The export continues without its reader");
            sleep(Duration::from_millis(100)).await;
        }
        psql.run("VACUUM video_progress")?;
        Ok(())
    }
}

async fn read(mut response: Response, mut bytes: usize) -> Result<()> {
    let began = Instant::now();
    while let Some(chunk) = response.chunk().await? {
        bytes += chunk.len();
        let target_elapsed = Duration::from_secs(1) * u32::try_from(bytes)? / BYTES_PER_SECOND;
        sleep(target_elapsed.saturating_sub(began.elapsed())).await;
    }
    Ok(())
}

fn oldest_transaction(psql: &Psql) -> Result<String> {
    psql.run(OLDEST_TRANSACTION)
}

/// Sends progress on every connection for this long. Each connection uses a different viewer.
async fn record(duration: Duration, address: &str, tokens: &[String]) -> Result<(Vec<Duration>, Duration)> {
    let began = Instant::now();
    let senders = tokens.iter().map(|token| {
        let (address, token) = (address.to_owned(), token.clone());
        async move {
            let mut wire = Wire::connect(&address, PATH, &token).await?;
            let (mut latencies, mut body) = (Vec::new(), String::new());
            while began.elapsed() < duration {
                progress(&mut body, latencies.len() % 1800)?;
                latencies.push(post(&mut wire, &body).await?);
            }
            Ok(latencies)
        }
    });
    Ok((gather(senders).await?, began.elapsed()))
}

/// Writes the body of a request: progress at this second of the same lesson.
fn progress(body: &mut String, second: usize) -> Result<()> {
    body.clear();
    write!(
        body,
        "{{\"events\":[{{\"clientEventId\":\"{}\",\"event\":\"progress_tick\",\"lessonId\":\"1\",\"provider\":\"vimeo\",\
         \"playbackSeconds\":{second},\"watchedSeconds\":{second},\"videoDuration\":1800}}]}}",
        Uuid::new_v4()
    )?;
    Ok(())
}
