//! Compares imports of student snapshots over HTTP with `psql \copy` of the same rows into the same table, in
//! alternation: into an empty table, and into one that is well filled.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;

use crate::events;
use crate::hub::{Hub, text};
use crate::memory::{MemoryWatch, resident};
use crate::psql::Psql;
use crate::series::Series;

/// The size of the benchmark.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Number of imported rows.
    #[arg(long, default_value_t = Arguments::default().rows)]
    rows: u32,
    /// Number of rows in the table that is well filled.
    #[arg(long, default_value_t = Arguments::default().filled)]
    filled: u32,
    /// Number of measurement pairs, after one pair to warm up.
    #[arg(long, default_value_t = Arguments::default().pairs)]
    pairs: usize,
}

impl Default for Arguments {
    fn default() -> Self {
        Self { rows: 1_000_000, filled: 3_000_000, pairs: 3 }
    }
}

const IMPORT: &str = "mutation ($file: Upload!) {
    importSnapshots(dataset: STUDENT_ACTIVITY_SNAPSHOTS, file: $file) { state rowsInserted message }
}";
const COLUMNS: &str = "user_id, course_id, lesson_id, category, scope, value, payload, captured_at";

/// Runs both comparisons and prints them.
pub async fn run(arguments: Arguments) -> Result<()> {
    let hub = Hub::start().await?;
    let psql = hub.psql()?;
    events::fill(&psql, 1_000)?;
    let file = hub.directory().join("snapshots.csv");
    write_rows(&file, 0, arguments.rows)?;
    compare(&hub, &psql, &file, "an empty table", &arguments).await?;
    let others = hub.directory().join("others.csv");
    write_rows(&others, arguments.rows, arguments.filled)?;
    psql.run(&copy(&others))?;
    psql.run("VACUUM (ANALYZE) student_activity_snapshots")?;
    compare(&hub, &psql, &file, &format!("a table of {} rows", arguments.filled), &arguments).await
}

async fn compare(hub: &Hub, psql: &Psql, file: &Path, table: &str, arguments: &Arguments) -> Result<()> {
    let before = psql.run("SELECT count(*) FROM student_activity_snapshots")?;
    let reset = format!(
        "DELETE FROM student_activity_snapshots WHERE id > (SELECT coalesce(max(id), 0) FROM (
             SELECT id FROM student_activity_snapshots ORDER BY id LIMIT {before}) AS first)"
    );
    let (mut ours, mut theirs) = (Series::default(), Series::default());
    let memory_before = resident(hub.process_id())?;
    let memory = MemoryWatch::start(hub.process_id());
    for pair in 0..=arguments.pairs {
        let imported = import(hub, file, arguments.rows).await?;
        reset_table(psql, &reset, &before)?;
        let copied = psql.time(&copy(file))?;
        reset_table(psql, &reset, &before)?;
        if pair > 0 {
            ours.add(imported);
            theirs.add(copied);
        }
    }
    println!("\nimport of {} rows into {table}", arguments.rows);
    println!("  over HTTP         {ours}");
    println!("  psql \\copy        {theirs}");
    println!("  ratio of medians  {:.2}   (target: at most 1.5)", ours.ratio_to(&theirs));
    let growth = memory.peak().saturating_sub(memory_before) >> 10;
    println!("  server's memory   {} MiB before, {growth} MiB more at most", memory_before >> 10);
    Ok(())
}

/// Deletes the rows that are not there at the start, and leaves no dead ones.
fn reset_table(psql: &Psql, reset: &str, before: &str) -> Result<()> {
    if before == "0" {
        psql.run("TRUNCATE student_activity_snapshots")?;
    } else {
        psql.run(reset)?;
        psql.run("VACUUM student_activity_snapshots")?;
    }
    Ok(())
}

/// Imports a file that must have this number of new rows.
pub async fn import(hub: &Hub, file: &Path, rows: u32) -> Result<Duration> {
    let began = Instant::now();
    let response = hub.graphql_with_file(IMPORT, json!({}), file).await?;
    let elapsed = began.elapsed();
    let import = &response["importSnapshots"];
    let is_complete = text(import, "/state")? == "DONE" && import["rowsInserted"] == rows;
    ensure!(is_complete, "The import did not insert every row: {import}");
    Ok(elapsed)
}

fn copy(file: &Path) -> String {
    format!(r"\copy student_activity_snapshots ({COLUMNS}) from '{}' csv header", file.display())
}

/// The header of the files.
pub fn header() -> String {
    format!("{}\n", COLUMNS.replace(' ', ""))
}

/// A row of one of 2,000 students and 60 lessons, which differs from all others.
pub fn write_row(row: u32, padding: &str) -> String {
    let lesson = 1 + row % 60;
    let (user, course, second) = (1001 + row % 2_000, 1 + (lesson - 1) / 10, row / 2_000);
    let (hour, minute) = (second / 3600 % 24, second / 60 % 60);
    let (day, category) =
        (1 + second / 86_400 % 28, ["quiz", "custom", "practice_attendance"][(row % 3) as usize]);
    format!(
        "{user},{course},{lesson},{category},module_{},{},\"{{\"\"clicks{padding}\"\": {row}}}\",2025-11-{day:02}T{hour:02}:{minute:02}:{:02}Z\n",
        row % 7,
        row % 100,
        second % 60,
    )
}

fn write_rows(path: &Path, first: u32, rows: u32) -> Result<()> {
    let mut file = header();
    for row in first..first + rows {
        file += &write_row(row, "");
    }
    std::fs::write(path, file)?;
    Ok(())
}
