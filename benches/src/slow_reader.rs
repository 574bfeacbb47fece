//! Recording alone, and beside somebody who downloads an export slowly, in turns.
//!
//! The players send progress of a few viewers again and again, so that the same rows of `video_progress` change all the
//! time: a transaction that stays open beside them keeps all their dead versions, and each change has to pass them.

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
use crate::ingest::{self, PATH, Rates, gather, post, tokens};
use crate::psql::Psql;
use crate::series::Series;
use crate::wire::Wire;

/// How much is measured.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Rows in the exported table.
    #[arg(long, default_value_t = Arguments::default().events)]
    events: u64,
    /// Seconds of recording, alone and beside the reader, per pair.
    #[arg(long, default_value_t = Arguments::default().seconds)]
    seconds: u64,
    /// Pairs of measurements, after a short one to warm up.
    #[arg(long, default_value_t = Arguments::default().pairs)]
    pairs: usize,
    /// The hub's setting; with 0 the export waits for its reader.
    #[arg(long, default_value_t = Arguments::default().spool_max_bytes)]
    spool_max_bytes: u64,
}

impl Default for Arguments {
    fn default() -> Self {
        Self { events: 1_000_000, seconds: 30, pairs: 3, spool_max_bytes: 2 << 30 }
    }
}

/// Bytes a second that the reader takes.
const PACE: u32 = 40_000;

/// How long the oldest transaction has been open that keeps PostgreSQL from removing dead rows, in seconds.
const OLDEST: &str = "SELECT coalesce(extract(epoch FROM max(now() - xact_start)), 0)::numeric(9, 1) \
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
    let time = Duration::from_secs(arguments.seconds);
    record(time.min(Duration::from_secs(5)), &hub.address, &tokens).await?;
    let (mut alone, mut beside) = (Recorded::default(), Recorded::default());
    let mut first_bytes = Series::default();
    for _ in 0..arguments.pairs {
        alone.add(record(time, &hub.address, &tokens).await?);
        let reader = Reader::start(&hub).await?;
        first_bytes.add(reader.first_byte);
        beside.add(record(time, &hub.address, &tokens).await?);
        ensure!(
            !reader.task.is_finished(),
            "The download ended before the time was over: the file is too small, or it broke off"
        );
        println!(
            "beside the reader: {:.0} events/s; at its end the oldest transaction was {} s old",
            beside.last,
            oldest(&psql)?
        );
        reader.stop(&hub, &psql).await?;
    }
    println!("\nprogress of 64 viewers, one event a request, {} connections", ingest::CONNECTIONS);
    println!("  alone                   {}   p99 {:.1} ms", alone.rates, alone.p99());
    println!("  beside a slow reader    {}   p99 {:.1} ms", beside.rates, beside.p99());
    println!("  ratio of medians        {:.2}   (to reach: 1)", beside.rates.median() / alone.rates.median());
    println!("  first byte              {first_bytes}   (to reach: less than 0.100 s)");
    Ok(())
}

/// What was recorded.
#[derive(Default)]
struct Recorded {
    rates: Rates,
    answers: Series,
    last: f64,
}

impl Recorded {
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
    fn add(&mut self, (latencies, took): (Vec<Duration>, Duration)) {
        self.rates.add(latencies.len(), took);
        self.last = latencies.len() as f64 / took.as_secs_f64();
        self.answers.extend(latencies);
    }

    fn p99(&self) -> f64 {
        self.answers.percentile(99).as_secs_f64() * 1000.0
    }
}

/// Somebody who downloads an export of all player events at [`PACE`].
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

    /// Hangs up, and waits until the server has noticed.
    async fn stop(self, hub: &Hub, psql: &Psql) -> Result<()> {
        self.task.abort();
        let running = "{ exportAudits(first: 1) { nodes { outcome } } }";
        let began = Instant::now();
        while hub.graphql(running, json!({})).await?["exportAudits"]["nodes"][0]["outcome"] == "RUNNING" {
            ensure!(began.elapsed() < Duration::from_mins(1), "The export goes on without its reader");
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
        let at_that_pace = Duration::from_secs(1) * u32::try_from(bytes)? / PACE;
        sleep(at_that_pace.saturating_sub(began.elapsed())).await;
    }
    Ok(())
}

fn oldest(psql: &Psql) -> Result<String> {
    psql.run(OLDEST)
}

/// Sends one viewer's progress after the other on every connection for this long, each connection for a viewer of its own.
async fn record(time: Duration, address: &str, tokens: &[String]) -> Result<(Vec<Duration>, Duration)> {
    let began = Instant::now();
    let senders = tokens.iter().map(|token| {
        let (address, token) = (address.to_owned(), token.clone());
        async move {
            let mut wire = Wire::connect(&address, PATH, &token).await?;
            let (mut latencies, mut body) = (Vec::new(), String::new());
            while began.elapsed() < time {
                progress(&mut body, latencies.len() % 1800)?;
                latencies.push(post(&mut wire, &body).await?);
            }
            Ok(latencies)
        }
    });
    Ok((gather(senders).await?, began.elapsed()))
}

/// The viewer is at this second of always the same lesson.
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
