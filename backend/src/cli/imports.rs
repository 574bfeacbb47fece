//! `dataporter imports …`

use std::path::Path;

use anyhow::{Context as _, anyhow};
use chrono::SecondsFormat;
use domain::filter::DateBound;
use serde_json::{Value, json};

use super::Failure;
use super::database::CommandDatabase;
use crate::config::Config;
use crate::db::Pool;
use crate::models::import::{Import, IncompleteImport};

/// What can be asked for.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Name the stored imports of which an older version may have read the beginning of the file only: import those
    /// files again.
    Verify(Verify),
}

/// Which imports to verify.
#[derive(Debug, clap::Args)]
pub(super) struct Verify {
    /// Only the imports from this date or timestamp on, such as 2026-11-16.
    #[arg(long, value_name = "DATE", value_parser = date)]
    since: Option<DateBound>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs one of the commands.
pub(super) async fn run(data_dir: &Path, config: &Config, command: Command) -> Result<(), Failure> {
    match command {
        Command::Verify(verify) => verify.run(data_dir, config).await,
    }
}

/// What was found.
struct Found {
    stored: i64,
    incomplete: Vec<IncompleteImport>,
}

impl Verify {
    async fn run(self, data_dir: &Path, config: &Config) -> Result<(), Failure> {
        let database = CommandDatabase::open_migrated(data_dir, config).await?;
        let pool = database.pool();
        let found = self.find(&pool, config).await;
        pool.close();
        database.close().await?;
        let found = found?;
        if self.json {
            println!("{}", in_json(&found));
        } else {
            print!("{}", in_words(&found));
        }
        match found.incomplete.len() {
            0 => Ok(()),
            1 => Err(Failure::Failed(anyhow!("1 import must be repeated"))),
            many => Err(Failure::Failed(anyhow!("{many} imports must be repeated"))),
        }
    }

    async fn find(&self, pool: &Pool, config: &Config) -> anyhow::Result<Found> {
        let since = self.since.map(|date| date.start(config.hub.timezone));
        let conn = &mut *pool.get().await.context("The database cannot be reached")?;
        let incomplete = IncompleteImport::since(conn, since).await?;
        Ok(Found { stored: Import::count_stored(conn, since).await?, incomplete })
    }
}

fn date(text: &str) -> Result<DateBound, &'static str> {
    DateBound::parse(text).ok_or("accepted: a date such as 2026-11-16, or an RFC 3339 timestamp")
}

fn in_words(found: &Found) -> String {
    let head = format!("Stored imports: {}, to be repeated: {}\n", found.stored, found.incomplete.len());
    let lines = found.incomplete.iter().map(|import| {
        let IncompleteImport { id, started_at, filename, dataset, size_bytes, bytes_read, rows_read } = import;
        let date = started_at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let read = match bytes_read {
            Some(bytes_read) => format!("only {bytes_read} bytes were read"),
            None => "cannot be verified".to_owned(),
        };
        format!(
            "  Import {id} of {date}: {filename}, {dataset}, {size_bytes} bytes, {rows_read} rows read: {read}, \
             repeat it\n"
        )
    });
    [head].into_iter().chain(lines).collect()
}

fn in_json(found: &Found) -> Value {
    let repeat: Vec<Value> = found
        .incomplete
        .iter()
        .map(|import| {
            let IncompleteImport { id, started_at, filename, dataset, size_bytes, bytes_read, rows_read } =
                import;
            json!({
                "id": id.to_string(),
                "startedAt": started_at,
                "filename": filename,
                "dataset": dataset,
                "sizeBytes": size_bytes,
                "bytesRead": bytes_read,
                "rowsRead": rows_read,
            })
        })
        .collect();
    json!({ "stored": found.stored, "repeat": repeat })
}
