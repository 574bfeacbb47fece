//! `dataporter telemetry:sync`

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use domain::Locale;
use serde_json::json;

use super::database::CommandDatabase;
use super::signals::{self, Stop};
use super::{Failure, runtime};
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::models::driver::Driver;
use crate::models::sync_run::{Note, Share, SyncRun, SyncState, SyncTrigger};
use crate::telemetry::sync::{Begun, NotBegun, NotForgotten, Order, Span, What};
use crate::telemetry::sync_words;

/// What can be asked for.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The most events that each driver takes up.
    #[arg(long, default_value_t = Order::LIMIT, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// Go on until nothing is owed that can be sent now, whatever the limit.
    #[arg(long)]
    until_empty: bool,
    /// Take nothing more up after so many seconds.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_seconds: Option<u64>,
    /// Send nothing: disable this driver for the whole hub and skip what is pending for it.
    ///
    /// Refused while this process has the driver enabled. `requeueDeadDeliveries` brings back what was skipped.
    #[arg(long, value_name = "DRIVER", value_parser = driver, conflicts_with_all = ["limit", "until_empty", "max_seconds"])]
    forget: Option<Driver>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

fn driver(name: &str) -> Result<Driver, String> {
    Driver::ALL
        .into_iter()
        .find(|driver| driver.key() == name)
        .ok_or_else(|| "accepted: ga4 or mixpanel".to_owned())
}

/// Runs the sync, and ends in good order when told to.
pub(super) fn run(data_dir: &Path, config: Config, arguments: &Arguments) -> Result<(), Failure> {
    runtime()?.block_on(async {
        let stop = signals::stop()?;
        let database = CommandDatabase::open_migrated(data_dir, &config).await?;
        let pool = database.pool();
        let app = App::new(config, pool.clone(), Clock::system())?;
        let done = match arguments.forget {
            Some(driver) => forget(&app, driver, arguments.json).await,
            None => sync(&app, &stop, arguments).await,
        };
        pool.close();
        database.close().await?;
        done
    })
}

async fn forget(app: &App, driver: Driver, json: bool) -> Result<(), Failure> {
    let title = driver.title();
    let skipped = match app.sync.forget(driver).await {
        Ok(skipped) => skipped,
        Err(NotForgotten::EnabledHere) => {
            return Err(Failure::Usage(format!(
                "{title} is enabled in this process, which would enable it again: set {}_ENABLED=false in every process first.",
                driver.key().to_uppercase()
            )));
        }
        Err(NotForgotten::AlreadyRunning) => {
            return Err(Failure::Failed(anyhow!("Another run of the sync is under way")));
        }
        Err(NotForgotten::Failed(error)) => return Err(error.into()),
    };
    if json {
        println!("{}", json!({ "driver": driver.key(), "skipped": skipped }));
    } else {
        println!(
            "{title} is disabled; {skipped} pending deliveries were skipped. requeueDeadDeliveries brings them back."
        );
    }
    Ok(())
}

async fn sync(app: &App, stop: &Stop, arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { limit, until_empty, max_seconds, json, forget: _ } = *arguments;
    let order = Order {
        trigger: SyncTrigger::Command,
        triggered_by: None,
        what: What::Oldest,
        limit: (!until_empty).then_some(limit),
        span: if until_empty { Span::UntilEmpty } else { Span::Once },
        budget: max_seconds.map(Duration::from_secs),
    };
    let run = match app.sync.begin(order).await {
        Ok(Begun::Over(run)) => run,
        Ok(Begun::UnderWay { run, ended }) => {
            tokio::select! {
                ended = ended => ended.context("The run broke down")?,
                () = stop.told.cancelled() => {
                    eprintln!("Told to end: letting what is under way finish");
                    app.sync.wind_up().await;
                }
            }
            let conn = &mut *app.pool.get().await.context("No database connection")?;
            let found = SyncRun::find(conn, run.id).await.context("The run cannot be read")?;
            found.context("The run is gone")?
        }
        Err(NotBegun::AlreadyRunning) => {
            return Err(Failure::Failed(anyhow!("Another run of the sync is under way")));
        }
        Err(NotBegun::Failed(error)) => return Err(error.into()),
    };
    if json {
        println!("{}", in_json(&run));
    } else {
        print!("{}", in_words(&run));
    }
    verdict(&run)
}

fn verdict(run: &SyncRun) -> Result<(), Failure> {
    let said = sync_words::message(run, Locale::En).unwrap_or_else(|| run.state.key().to_owned());
    match (run.state, &run.note) {
        (_, Some(Note::NotConfigured { .. })) => Err(Failure::Usage(said)),
        (_, Some(Note::Interrupted)) | (SyncState::Failed | SyncState::Running, _) => {
            Err(Failure::Failed(anyhow!(said)))
        }
        (SyncState::Success | SyncState::Partial | SyncState::Skipped, _) => Ok(()),
    }
}

fn in_words(run: &SyncRun) -> String {
    let took = run.duration_ms.unwrap_or_default();
    let head =
        format!("Run {}: {}, {} events done with in {took} ms\n", run.id, run.state.key(), run.processed);
    let shares = run.shares.iter().map(|share| {
        let Share { driver, attempted, delivered, retrying, dead, expired, requests, trouble: _ } = share;
        format!(
            "  {}: {attempted} tried, {delivered} delivered, {retrying} to be tried again, {dead} given up, \
             {expired} too old, {requests} requests\n",
            driver.title(),
        )
    });
    let message = sync_words::message(run, Locale::En).map(|message| message + "\n");
    [head].into_iter().chain(shares).chain(message).collect()
}

fn in_json(run: &SyncRun) -> serde_json::Value {
    json!({
        "id": run.id.to_string(),
        "state": run.state.key(),
        "processed": run.processed,
        "startedAt": run.started_at,
        "finishedAt": run.finished_at,
        "durationMs": run.duration_ms,
        "drivers": run.shares,
        "driversLeftOut": run.drivers_left_out,
        "message": sync_words::message(run, Locale::En),
    })
}
