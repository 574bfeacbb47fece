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

/// The subcommands of `dataporter imports`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List stored imports that an older version may have read only in part. Import their files again.
    Verify(Verify),
}

/// The arguments of `dataporter imports verify`.
#[derive(Debug, clap::Args)]
pub(super) struct Verify {
    /// Only imports since this date or timestamp, such as 2026-11-16.
    #[arg(long, value_name = "DATE", value_parser = date)]
    since: Option<DateBound>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs a subcommand.
pub(super) async fn run(data_dir: &Path, config: &Config, command: Command) -> Result<(), Failure> {
    match command {
        Command::Verify(verify) => verify.run(data_dir, config).await,
    }
}

/// The number of stored imports, and the incomplete ones.
struct Report {
    stored: i64,
    incomplete: Vec<IncompleteImport>,
}

impl Verify {
    async fn run(self, data_dir: &Path, config: &Config) -> Result<(), Failure> {
        let database = CommandDatabase::open_migrated(data_dir, config).await?;
        let pool = database.pool();
        let report = self.find(&pool, config).await;
        pool.close();
        database.close().await?;
        let report = report?;
        if self.json {
            println!("{}", to_json(&report));
        } else {
            print!("{}", describe(&report));
        }
        match report.incomplete.len() {
            0 => Ok(()),
            1 => Err(Failure::Failed(anyhow!("1 import must be repeated"))),
            many => Err(Failure::Failed(anyhow!("{many} imports must be repeated"))),
        }
    }

    async fn find(&self, pool: &Pool, config: &Config) -> anyhow::Result<Report> {
        let since = self.since.map(|date| date.start(config.hub.timezone));
        let conn = &mut *pool.get().await.context("Failed to connect to the database")?;
        let incomplete = IncompleteImport::started_since(conn, since).await?;
        Ok(Report { stored: Import::count_stored(conn, since).await?, incomplete })
    }
}

fn date(text: &str) -> Result<DateBound, &'static str> {
    DateBound::parse(text).ok_or("accepted: a date such as 2026-11-16, or an RFC 3339 timestamp")
}

fn describe(report: &Report) -> String {
    let head = format!("Stored imports: {}, to be repeated: {}\n", report.stored, report.incomplete.len());
    let lines = report.incomplete.iter().map(|import| {
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

fn to_json(report: &Report) -> Value {
    let repeat: Vec<Value> = report
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
    json!({ "stored": report.stored, "repeat": repeat })
}
