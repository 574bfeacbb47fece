//! Checks that the server's memory does not grow with the data: exports of all player events in each format, and an import of
//! a large CSV file.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::time::Instant;

use anyhow::{Result, ensure};
use serde_json::json;

use crate::events;
use crate::export::{Download, download};
use crate::hub::Hub;
use crate::import::{import, write_row};
use crate::memory::{MemoryWatch, resident};

/// The size of the check.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Number of exported player events.
    #[arg(long, default_value_t = 5_000_000)]
    events: u64,
    /// Size of the imported file, in bytes.
    #[arg(long, default_value_t = 1_000_000_000)]
    bytes: u64,
}

/// By how much the server's memory may grow, in KiB.
const MAX_GROWTH: u64 = 64 << 10;

/// Runs the check. It fails if the memory grows too much.
pub async fn run(arguments: Arguments) -> Result<()> {
    let hub = Hub::start().await?;
    let psql = hub.psql()?;
    events::fill(&psql, arguments.events)?;
    for format in ["csv", "json", "ndjson", "xlsx", "parquet"] {
        let memory = Memory::watch(&hub)?;
        let file = json!({"dataset": "video_player_events", "format": format});
        let Download { total, first_byte, bytes } = download(&hub, &file).await?;
        ensure!(bytes > arguments.events, "The export as {format} has only {bytes} bytes");
        let seconds = (total.as_secs_f64(), first_byte.as_secs_f64());
        let what = format!(
            "{format}: {} MB in {:.1} s, first byte {:.3} s",
            bytes / 1_000_000,
            seconds.0,
            seconds.1
        );
        memory.check(&what)?;
    }
    let file = hub.directory().join("large.csv");
    let rows = write_large(&file, arguments.bytes)?;
    let (memory, began) = (Memory::watch(&hub)?, Instant::now());
    import(&hub, &file, rows).await?;
    let seconds = began.elapsed().as_secs_f64();
    memory.check(&format!("import: {rows} rows, {} MB in {seconds:.1} s", arguments.bytes / 1_000_000))
}

/// The server's memory during one step.
struct Memory {
    before: u64,
    watch: MemoryWatch,
}

impl Memory {
    fn watch(hub: &Hub) -> Result<Self> {
        Ok(Self { before: resident(hub.process_id())?, watch: MemoryWatch::start(hub.process_id()) })
    }

    /// Prints what was done and how much the memory grew.
    fn check(self, what: &str) -> Result<()> {
        let growth = self.watch.peak().saturating_sub(self.before);
        println!("{what}, memory {} MiB before, {} MiB more at most", self.before >> 10, growth >> 10);
        ensure!(growth <= MAX_GROWTH, "The server's memory grew by {} MiB", growth >> 10);
        Ok(())
    }
}

/// Writes rows with large payloads until the file has this size, and returns their number.
fn write_large(path: &Path, bytes: u64) -> Result<u32> {
    let mut file = BufWriter::new(File::create(path)?);
    let header = crate::import::header();
    file.write_all(header.as_bytes())?;
    let (mut written, mut rows) = (header.len() as u64, 0);
    let padding = "x".repeat(150);
    while written < bytes {
        let row = write_row(rows, &padding);
        file.write_all(row.as_bytes())?;
        written += row.len() as u64;
        rows += 1;
    }
    file.flush()?;
    Ok(rows)
}
