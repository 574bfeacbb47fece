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
use crate::models::player_event_month::{OldMonth, be_patient};
use crate::models::telemetry_delivery::{EventPosition, forget_month};

/// What can be asked for.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Whole months to keep beside the present one, at least 2: players may still send events of the last 30 days.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=1200))]
    keep_months: u32,
    /// Drop nothing, and say what would be dropped.
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// A month and what it holds.
struct OldMonthReport {
    month: String,
    events: i64,
    bytes: i64,
}

/// Drops the months of player events that are older than those to be kept, with their deliveries.
pub(super) async fn run(data_dir: &Path, config: Config, arguments: Arguments) -> Result<(), Failure> {
    let first = first_kept(arguments.keep_months)?;
    let database = CommandDatabase::open_migrated(data_dir, &config).await?;
    let pool = database.pool();
    let done = async {
        let conn = &mut Object::take(pool.get().await.context("No database connection")?);
        be_patient(conn).await.context("The database does not answer")?;
        let old = OldMonth::until(conn, first).await.context("The months cannot be listed")?;
        let mut months = Vec::new();
        for month in old {
            let events = if arguments.dry_run { month.count(conn).await } else { drop(conn, &month).await };
            let events = events.with_context(|| {
                format!("{} could not be dropped whole; run the command again to go on", month.month)
            })?;
            months.push(OldMonthReport { month: month.month, events, bytes: month.bytes });
        }
        anyhow::Ok(months)
    };
    let done = done.await;
    pool.close();
    database.close().await?;
    tell(&done?, first, &arguments);
    Ok(())
}

/// The first day that is kept.
fn first_kept(months: u32) -> Result<NaiveDate, Failure> {
    let today = Clock::system().now().date_naive();
    let first = today.with_day(1).and_then(|day| day.checked_sub_months(Months::new(months)));
    first.ok_or_else(|| Failure::Usage("There are no such months".to_owned()))
}

/// Answers with how many events it had.
async fn drop(conn: &mut Connection, month: &OldMonth) -> diesel::QueryResult<i64> {
    month.detach(conn).await?;
    let (mut after, mut events) = (Some(EventPosition::START), 0);
    while let Some(place) = after {
        let (slice, next) = forget_month(conn, &month.table_name, place).await?;
        events += slice;
        after = next;
    }
    month.drop(conn).await?;
    Ok(events)
}

fn tell(months: &[OldMonthReport], first: NaiveDate, arguments: &Arguments) {
    let Arguments { keep_months: _, dry_run, json } = *arguments;
    if json {
        let months = months.iter().map(
            |OldMonthReport { month, events, bytes }| json!({ "month": month, "events": events, "bytes": bytes }),
        );
        let months: Vec<_> = months.collect();
        println!("{}", json!({ "keptFrom": first, "dryRun": dry_run, "months": months }));
        return;
    }
    let (done, none) =
        if dry_run { ("Would drop", "Would drop nothing") } else { ("Dropped", "Dropped nothing") };
    for OldMonthReport { month, events, bytes } in months {
        println!("{done} {month}: {events} events, {} MiB", bytes / (1024 * 1024));
    }
    if months.is_empty() {
        println!("{none}: there are no player events from before {first}.");
    }
}
