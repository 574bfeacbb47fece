//! `dataporter practices:sync-attendance`

use std::path::Path;

use serde_json::json;

use super::Failure;
use super::database::with_app;
use crate::config::Config;
use crate::practices::attendance::{self, Report};

/// The arguments of `dataporter practices:sync-attendance`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The maximum number of practices, those that ended first.
    #[arg(long, value_name = "N", default_value_t = 25, value_parser = clap::value_parser!(i64).range(1..=1_000_000))]
    limit: i64,
    /// Only count what would be recorded.
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Records who attended and who cancelled, and prints a report.
pub(super) async fn run(data_dir: &Path, config: Config, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { limit, dry_run, json } = arguments;
    let report = with_app(data_dir, config, async |app| {
        if dry_run { attendance::dry_run(app, limit).await } else { attendance::record(app, limit).await }
    });
    let report = report.await??;
    if json {
        println!("{}", as_json(report, dry_run));
    } else {
        println!("{}", as_line(report, dry_run));
    }
    Ok(())
}

fn as_json(report: Report, dry_run: bool) -> serde_json::Value {
    let Report { practices, attended, cancelled, late, remaining } = report;
    json!({
        "practices": practices,
        "attended": attended,
        "cancelled": cancelled,
        "late": late,
        "remaining": remaining,
        "dryRun": dry_run,
    })
}

fn as_line(report: Report, dry_run: bool) -> String {
    let Report { practices, attended, cancelled, late, remaining } = report;
    let recorded = if dry_run { "Would record" } else { "Recorded" };
    format!(
        "{recorded} the attendance of {practices} practices: {attended} attended, {cancelled} cancelled ({late} late). \
         Still due: {remaining} practices."
    )
}
