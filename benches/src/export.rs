//! Compares exports of player events over HTTP with `psql \copy` of the same query, in alternation.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::events;
use crate::hub::Hub;
use crate::memory::{self, MemoryWatch};
use crate::psql::Psql;
use crate::series::Series;

/// The size of the benchmark.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Number of rows in the table.
    #[arg(long, default_value_t = Arguments::default().events)]
    events: u64,
    /// Number of measurement pairs, after one pair to warm up.
    #[arg(long, default_value_t = Arguments::default().pairs)]
    pairs: usize,
}

impl Default for Arguments {
    fn default() -> Self {
        Self { events: 1_000_000, pairs: 7 }
    }
}

/// The query of the dataset as written by hand: joined with the email addresses, in its stable order.
const SELECT: &str = "\
    SELECT e.recorded_at, e.user_id, u.email AS user_email, e.course_id, e.lesson_id, e.event, e.provider, \
    e.playback_seconds, e.watched_seconds, e.video_duration, e.playback_rate, e.context_tag, e.metadata, e.synced_at \
    FROM video_player_events e LEFT JOIN users u ON u.id = e.user_id ORDER BY e.recorded_at DESC, e.id DESC";

/// An export format and its reference.
struct Comparison {
    format: &'static str,
    reference: String,
    /// The highest acceptable ratio of the medians.
    max_ratio: f64,
}

/// The measurements of one download.
pub struct Download {
    pub total: Duration,
    pub first_byte: Duration,
    pub bytes: u64,
}

/// Runs the comparisons and prints them.
pub async fn run(arguments: Arguments) -> Result<()> {
    let hub = Hub::start().await?;
    let psql = hub.psql()?;
    events::fill(&psql, arguments.events)?;
    let comparisons = [
        Comparison {
            format: "csv",
            reference: format!(r"\copy ({SELECT}) to '/dev/null' csv header"),
            max_ratio: 0.7,
        },
        Comparison {
            format: "json",
            reference: format!(r"\copy (SELECT row_to_json(t) FROM ({SELECT}) t) to '/dev/null'"),
            max_ratio: 0.6,
        },
    ];
    for comparison in comparisons {
        compare(&hub, &psql, &comparison, arguments.pairs).await?;
    }
    Ok(())
}

async fn compare(hub: &Hub, psql: &Psql, comparison: &Comparison, pairs: usize) -> Result<()> {
    let Comparison { format, reference, max_ratio } = comparison;
    let file = json!({ "dataset": "video_player_events", "format": format, "headers": "keys" });
    let before = memory::resident(hub.process_id())?;
    let watch = MemoryWatch::start(hub.process_id());
    let warm_up = download(hub, &file).await?;
    psql.time(reference)?;
    let (mut ours, mut theirs, mut first_bytes) = (Series::default(), Series::default(), Series::default());
    for _ in 0..pairs {
        let Download { total, first_byte, bytes } = download(hub, &file).await?;
        ensure!(
            bytes == warm_up.bytes,
            "Two exports of the same rows differ in size: {bytes} and {} bytes",
            warm_up.bytes
        );
        ours.add(total);
        first_bytes.add(first_byte);
        theirs.add(psql.time(reference)?);
    }
    let peak = watch.peak();
    println!("\n{format}, {} MB", warm_up.bytes / 1_000_000);
    println!("  export over HTTP  {ours}");
    println!("  psql \\copy        {theirs}");
    println!("  ratio of medians  {:.2}   (target: at most {max_ratio})", ours.ratio_to(&theirs));
    println!("  first byte        {first_bytes}   (target: less than 0.100 s)");
    println!(
        "  server memory     {} MiB before, {} MiB peak   (target: at most 64 MiB more)",
        before / 1024,
        peak / 1024
    );
    Ok(())
}

/// Downloads a file and forgets it.
pub async fn download(hub: &Hub, file: &Value) -> Result<Download> {
    let link = hub.link(file).await?;
    let began = Instant::now();
    let mut response = hub.download(&link).await?;
    let mut first_byte = None;
    let mut bytes = 0;
    while let Some(chunk) = response.chunk().await? {
        first_byte.get_or_insert_with(|| began.elapsed());
        bytes += chunk.len() as u64;
    }
    Ok(Download { total: began.elapsed(), first_byte: first_byte.unwrap_or_default(), bytes })
}
