//! `dataporter telemetry:sync`

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use domain::Driver;
use domain::Locale;
use domain::sync::{SyncState, SyncTrigger};
use serde_json::json;

use super::database::with_app;
use super::signals::{self, Shutdown};
use super::{Failure, runtime};
use crate::app::App;
use crate::config::Config;
use crate::models::sync_run::{DriverStats, Outage, RunReason, SyncRun};
use crate::telemetry::delivery::texts;
use crate::telemetry::delivery::{
    BackfillError, ForgetError, Mode, SHUTDOWN_TIMEOUT, Scope, StartError, Started, SyncRequest,
};

/// The arguments of `dataporter telemetry:sync`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The maximum number of events per driver, not counting events that are too old to be sent.
    #[arg(long, default_value_t = SyncRequest::DEFAULT_LIMIT, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// Continue until no pending event can be sent now, regardless of the limit.
    #[arg(long)]
    until_empty: bool,
    /// Stop fetching events after this many seconds.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_seconds: Option<u64>,
    /// Send nothing. Disable this driver for the whole hub and skip its pending events.
    ///
    /// Refused while this process has the driver enabled. `requeueDeadDeliveries` brings skipped events back.
    #[arg(long, value_name = "DRIVER", value_parser = driver, conflicts_with_all = ["limit", "until_empty", "max_seconds"])]
    forget: Option<Driver>,
    /// First make all events since `--since` pending that this driver has no record of, regardless of age.
    #[arg(long, value_name = "DRIVER", value_parser = driver, requires = "since", conflicts_with = "forget")]
    backfill: Option<Driver>,
    /// The start of the backfill: a date (UTC) or a timestamp such as 2026-03-01T08:00:00Z.
    #[arg(long, value_name = "TIMESTAMP", value_parser = timestamp, requires = "backfill")]
    since: Option<DateTime<Utc>>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// The message when the outcome of a run could not be read from the database.
const UNKNOWN_OUTCOME: &str =
    "The database does not respond, so the outcome of the run is unknown. The next run resumes its work";

fn driver(name: &str) -> Result<Driver, String> {
    Driver::ALL
        .into_iter()
        .find(|driver| driver.key() == name)
        .ok_or_else(|| "accepted: ga4 or mixpanel".to_owned())
}

fn timestamp(text: &str) -> Result<DateTime<Utc>, String> {
    let date = || Some(text.parse::<NaiveDate>().ok()?.and_time(NaiveTime::MIN).and_utc());
    let timestamp = DateTime::parse_from_rfc3339(text).ok().map(|timestamp| timestamp.to_utc());
    timestamp.or_else(date).ok_or_else(|| "accepted: 2026-03-01 or 2026-03-01T08:00:00Z".to_owned())
}

/// Runs the sync. A shutdown signal stops it gracefully.
pub(super) fn run(data_dir: &Path, config: Config, arguments: &Arguments) -> Result<(), Failure> {
    runtime()?.block_on(async {
        let shutdown = signals::shutdown()?;
        with_app(data_dir, config, async |app| match arguments.forget {
            Some(driver) => forget(app, driver, arguments.json).await,
            None => sync(app, &shutdown, arguments).await,
        })
        .await?
    })
}

async fn forget(app: &App, driver: Driver, json: bool) -> Result<(), Failure> {
    let title = driver.title();
    let skipped = match app.sync.forget(driver).await {
        Ok(skipped) => skipped,
        Err(ForgetError::EnabledHere) => {
            return Err(Failure::Usage(format!(
                "{title} is enabled in this process, which would enable it again. Set {}_ENABLED=false in every process first.",
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

async fn backfill(
    app: &App,
    driver: Driver,
    since: DateTime<Utc>,
    shutdown: &Shutdown,
) -> Result<i64, Failure> {
    let title = driver.title();
    app.sync.backfill(driver, since, &shutdown.requested).await.map_err(|error| match error {
        BackfillError::NotEnabledHere => {
            Failure::Usage(format!("{title} is not enabled and configured in this process."))
        }
        BackfillError::TooOld(limit) => Failure::Usage(format!(
            "{title} accepts no events older than {} hours{}. No events were made pending.",
            limit.num_hours(),
            match driver {
                Driver::Ga4 => "",
                Driver::Mixpanel => " through /track (MIXPANEL_ENDPOINT)",
            }
        )),
        BackfillError::Failed(error) => error.into(),
    })
}

async fn sync(app: &App, shutdown: &Shutdown, arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { limit, until_empty, max_seconds, json, forget: _, backfill: backfill_driver, since } =
        *arguments;
    let backfilled = match backfill_driver.zip(since) {
        Some((driver, since)) => Some(backfill(app, driver, since, shutdown).await?),
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
                () = shutdown.requested.cancelled() => {
                    eprintln!("Stopping: waiting for the requests in flight");
                    app.sync.shut_down().await;
                }
                () = overdue(request.budget) => {
                    return Err(Failure::Failed(anyhow!("The run did not end in time. {UNKNOWN_OUTCOME}")));
                }
            }
            let found = async {
                let conn = &mut *app.pool.get().await?;
                anyhow::Ok(SyncRun::find(conn, run.id).await?)
            };
            found.await.context(UNKNOWN_OUTCOME)?.context("The run no longer exists")?
        }
        Err(StartError::AlreadyRunning) => {
            return Err(Failure::Failed(anyhow!("Another sync run is in progress")));
        }
        Err(StartError::Failed(error)) => return Err(error.into()),
    };
    if json {
        println!("{}", to_json(&run, backfilled));
    } else {
        if let Some(events) = backfilled {
            println!("Made {events} older events pending");
        }
        print!("{}", describe(&run));
    }
    check_outcome(&run)
}

/// Waits until a run with a time limit must have ended, including the time it takes to shut down.
async fn overdue(budget: Option<Duration>) {
    match budget {
        Some(budget) => tokio::time::sleep(budget + SHUTDOWN_TIMEOUT).await,
        None => std::future::pending().await,
    }
}

fn check_outcome(run: &SyncRun) -> Result<(), Failure> {
    let message = message(run).unwrap_or_else(|| run.state.key().to_owned());
    let is_refusing = |stats: &DriverStats| matches!(stats.outage, Some(Outage::Refusing { .. }));
    if run.drivers.iter().any(is_refusing) {
        return Err(Failure::Failed(anyhow!(message)));
    }
    match (run.state, &run.reason) {
        (_, Some(RunReason::NotConfigured { .. })) => Err(Failure::Usage(message)),
        (_, Some(RunReason::Interrupted)) | (SyncState::Failed | SyncState::Running, _) => {
            Err(Failure::Failed(anyhow!(message)))
        }
        (SyncState::Success | SyncState::Partial | SyncState::Skipped, _) => Ok(()),
    }
}

fn describe(run: &SyncRun) -> String {
    let took = run.duration_ms.unwrap_or_default();
    let summary =
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
    let message = message(run).map(|text| text + "\n");
    [summary].into_iter().chain(drivers).chain(message).collect()
}

fn to_json(run: &SyncRun, backfilled: Option<i64>) -> serde_json::Value {
    let mut report = json!({
        "id": run.id.to_string(),
        "state": run.state.key(),
        "processed": run.processed,
        "startedAt": run.started_at,
        "finishedAt": run.finished_at,
        "durationMs": run.duration_ms,
        "drivers": run.drivers,
        "driversLeftOut": run.drivers_left_out,
        "message": message(run),
    });
    if let Some(events) = backfilled {
        report["backfilled"] = events.into();
    }
    report
}

fn message(run: &SyncRun) -> Option<String> {
    texts::message(run).map(|phrase| phrase.into_locale(Locale::En))
}
