//! `dataporter telemetry:sync`

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use domain::Locale;
use serde_json::json;

use super::database::CommandDatabase;
use super::signals::{self, Stop};
use super::{Failure, runtime};
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::models::driver::Driver;
use crate::models::sync_run::{DriverStats, Outage, RunReason, SyncRun, SyncState, SyncTrigger};
use crate::telemetry::delivery::texts;
use crate::telemetry::delivery::{
    BackfillError, ForgetError, Mode, SHUTDOWN_TIMEOUT, Scope, StartError, Started, SyncRequest,
};

/// What can be asked for.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The most events that each driver takes up; those that are too old to be sent do not count.
    #[arg(long, default_value_t = SyncRequest::DEFAULT_LIMIT, value_parser = clap::value_parser!(u32).range(1..=100_000))]
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
    /// First make every event since `--since` of which this driver has no record pending for it, however old.
    #[arg(long, value_name = "DRIVER", value_parser = driver, requires = "since", conflicts_with = "forget")]
    backfill: Option<Driver>,
    /// When the backfill begins: a date (UTC) or a moment such as 2026-03-01T08:00:00Z.
    #[arg(long, value_name = "MOMENT", value_parser = moment, requires = "backfill")]
    since: Option<DateTime<Utc>>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What there is to say when the database does not take down how a run ended.
const UNKNOWN_END: &str =
    "The database does not answer, so how the run ended is not known; the next run takes over what it left";

fn driver(name: &str) -> Result<Driver, String> {
    Driver::ALL
        .into_iter()
        .find(|driver| driver.key() == name)
        .ok_or_else(|| "accepted: ga4 or mixpanel".to_owned())
}

fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    let date = || Some(text.parse::<NaiveDate>().ok()?.and_time(NaiveTime::MIN).and_utc());
    let moment = DateTime::parse_from_rfc3339(text).ok().map(|moment| moment.to_utc());
    moment.or_else(date).ok_or_else(|| "accepted: 2026-03-01 or 2026-03-01T08:00:00Z".to_owned())
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
        Err(ForgetError::EnabledHere) => {
            return Err(Failure::Usage(format!(
                "{title} is enabled in this process, which would enable it again: set {}_ENABLED=false in every process first.",
                driver.key().to_uppercase()
            )));
        }
        Err(ForgetError::AlreadyRunning) => {
            return Err(Failure::Failed(anyhow!("Another sync run is in progress")));
        }
        Err(ForgetError::Failed(error)) => return Err(error.into()),
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

async fn backfill(app: &App, driver: Driver, since: DateTime<Utc>, stop: &Stop) -> Result<i64, Failure> {
    let title = driver.title();
    app.sync.backfill(driver, since, &stop.told).await.map_err(|why| match why {
        BackfillError::NotEnabledHere => {
            Failure::Usage(format!("{title} is not enabled and configured in this process."))
        }
        BackfillError::TooOld(limit) => Failure::Usage(format!(
            "{title} takes no event older than {} hours{}: nothing was made pending.",
            limit.num_hours(),
            match driver {
                Driver::Ga4 => "",
                Driver::Mixpanel => " by /track (MIXPANEL_ENDPOINT)",
            }
        )),
        BackfillError::Failed(error) => error.into(),
    })
}

async fn sync(app: &App, stop: &Stop, arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { limit, until_empty, max_seconds, json, forget: _, backfill: what, since } = *arguments;
    let backfilled = match what.zip(since) {
        Some((driver, since)) => Some(backfill(app, driver, since, stop).await?),
        None => None,
    };
    let request = SyncRequest {
        trigger: SyncTrigger::Command,
        triggered_by: None,
        scope: Scope::Oldest,
        limit: (!until_empty).then_some(limit),
        mode: if until_empty { Mode::UntilEmpty } else { Mode::Once },
        budget: max_seconds.map(Duration::from_secs),
    };
    let run = match app.sync.start(request).await {
        Ok(Started::Ended(run)) => run,
        Ok(Started::InProgress { run, ended }) => {
            tokio::select! {
                ended = ended => ended.context("The run failed")?,
                () = stop.told.cancelled() => {
                    eprintln!("Stopping: waiting for the requests in flight");
                    app.sync.shut_down().await;
                }
                () = overdue(request.budget) => {
                    return Err(Failure::Failed(anyhow!("The run did not end in time. {UNKNOWN_END}")));
                }
            }
            let found = async {
                let conn = &mut *app.pool.get().await?;
                anyhow::Ok(SyncRun::find(conn, run.id).await?)
            };
            found.await.context(UNKNOWN_END)?.context("The run is gone")?
        }
        Err(StartError::AlreadyRunning) => {
            return Err(Failure::Failed(anyhow!("Another sync run is in progress")));
        }
        Err(StartError::Failed(error)) => return Err(error.into()),
    };
    if json {
        println!("{}", in_json(&run, backfilled));
    } else {
        if let Some(events) = backfilled {
            println!("{events} older events were made pending");
        }
        print!("{}", in_words(&run));
    }
    verdict(&run)
}

/// Waits until a run with a time limit should long have ended, with what was under way done and written down.
async fn overdue(budget: Option<Duration>) {
    match budget {
        Some(budget) => tokio::time::sleep(budget + SHUTDOWN_TIMEOUT).await,
        None => std::future::pending().await,
    }
}

fn verdict(run: &SyncRun) -> Result<(), Failure> {
    let said = texts::message(run, Locale::En).unwrap_or_else(|| run.state.key().to_owned());
    let is_refused = |stats: &DriverStats| matches!(stats.outage, Some(Outage::Refusing { .. }));
    if run.drivers.iter().any(is_refused) {
        return Err(Failure::Failed(anyhow!(said)));
    }
    match (run.state, &run.reason) {
        (_, Some(RunReason::NotConfigured { .. })) => Err(Failure::Usage(said)),
        (_, Some(RunReason::Interrupted)) | (SyncState::Failed | SyncState::Running, _) => {
            Err(Failure::Failed(anyhow!(said)))
        }
        (SyncState::Success | SyncState::Partial | SyncState::Skipped, _) => Ok(()),
    }
}

fn in_words(run: &SyncRun) -> String {
    let took = run.duration_ms.unwrap_or_default();
    let head =
        format!("Run {}: {}, {} events processed in {took} ms\n", run.id, run.state.key(), run.processed);
    let drivers = run.drivers.iter().map(|stats| {
        let DriverStats { driver, attempted, delivered, retrying, dead, expired, requests, outage: _ } =
            stats;
        format!(
            "  {}: {attempted} attempted, {delivered} delivered, {retrying} to be retried, {dead} dead, \
             {expired} expired, {requests} requests\n",
            driver.title(),
        )
    });
    let message = texts::message(run, Locale::En).map(|message| message + "\n");
    [head].into_iter().chain(drivers).chain(message).collect()
}

fn in_json(run: &SyncRun, backfilled: Option<i64>) -> serde_json::Value {
    let mut told = json!({
        "id": run.id.to_string(),
        "state": run.state.key(),
        "processed": run.processed,
        "startedAt": run.started_at,
        "finishedAt": run.finished_at,
        "durationMs": run.duration_ms,
        "drivers": run.drivers,
        "driversLeftOut": run.drivers_left_out,
        "message": texts::message(run, Locale::En),
    });
    if let Some(events) = backfilled {
        told["backfilled"] = events.into();
    }
    told
}
