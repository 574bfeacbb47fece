//! `dataporter retention`

use std::path::Path;

use anyhow::Context as _;
use chrono::{Datelike as _, Months, NaiveDate};
use diesel_async::pooled_connection::deadpool::Object;
use serde_json::json;

use super::Failure;
use super::database::CommandDatabase;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::Connection;
use crate::models::player_event_month::{OldMonth, set_long_timeouts};
use crate::models::telemetry_delivery::{EventPosition, delete_month_deliveries};

/// The arguments of `dataporter retention`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Full months to keep before the current one, at least 2, as players may send events up to 30 days late.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=1200))]
    keep_months: u32,
    /// Only list the months that would be dropped.
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// A month that was or would be dropped.
struct OldMonthReport {
    month: String,
    events: i64,
    bytes: i64,
}

/// Drops the months of player events that are not kept, with their deliveries.
pub(super) async fn run(data_dir: &Path, config: Config, arguments: Arguments) -> Result<(), Failure> {
    let first = first_kept(arguments.keep_months)?;
    let database = CommandDatabase::open_migrated(data_dir, &config).await?;
    let pool = database.pool();
    let result = async {
        let conn = &mut Object::take(pool.get().await.context("Failed to get a database connection")?);
        set_long_timeouts(conn).await.context("Failed to set the timeouts")?;
        let old = OldMonth::until(conn, first).await.context("Failed to list the months")?;
        let mut months = Vec::new();
        for month in old {
            let events = if arguments.dry_run { month.count(conn).await } else { drop(conn, &month).await };
            let events = events.with_context(|| {
                format!("Failed to drop {} completely, run the command again to continue", month.month)
            })?;
            months.push(OldMonthReport { month: month.month, events, bytes: month.bytes });
        }
        anyhow::Ok(months)
    };
    let result = result.await;
    pool.close();
    database.close().await?;
    print_report(&result?, first, &arguments);
    Ok(())
}

/// The first day that is kept.
fn first_kept(months: u32) -> Result<NaiveDate, Failure> {
    let today = Clock::system().now().date_naive();
    let first = today.with_day(1).and_then(|day| day.checked_sub_months(Months::new(months)));
    first.ok_or_else(|| Failure::Usage("The number of months is too large".to_owned()))
}

/// Drops a month in batches. Returns the number of its events.
async fn drop(conn: &mut Connection, month: &OldMonth) -> diesel::QueryResult<i64> {
    month.detach(conn).await?;
    let (mut after, mut events) = (Some(EventPosition::START), 0);
    while let Some(position) = after {
        let (batch, next) = delete_month_deliveries(conn, &month.table_name, position).await?;
        events += batch;
        after = next;
    }
    month.drop(conn).await?;
    Ok(events)
}

fn print_report(months: &[OldMonthReport], first: NaiveDate, arguments: &Arguments) {
    let Arguments { keep_months: _, dry_run, json } = *arguments;
    if json {
        let months = months.iter().map(
            |OldMonthReport { month, events, bytes }| json!({ "month": month, "events": events, "bytes": bytes }),
        );
        let months: Vec<_> = months.collect();
        println!("{}", json!({ "keptFrom": first, "dryRun": dry_run, "months": months }));
        return;
    }
    let (dropped, dropped_nothing) =
        if dry_run { ("Would drop", "Would drop nothing") } else { ("Dropped", "Dropped nothing") };
    for OldMonthReport { month, events, bytes } in months {
        println!("{dropped} {month}: {events} events, {} MiB", bytes / (1024 * 1024));
    }
    if months.is_empty() {
        println!("{dropped_nothing}: there are no player events before {first}.");
    }
}
