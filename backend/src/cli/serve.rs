//! `dataporter serve`

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use embedded_postgres::EmbeddedPostgres;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use super::demo::{DemoIfEmpty, StartupMessage};
use super::signals::{self, Shutdown};
use super::{Failure, logging, runtime};
use crate::app::App;
use crate::clock::Clock;
use crate::config::{self, Config, Variables};
use crate::{db, http, jobs};

/// How long open requests may take to finish after the first shutdown signal.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);

/// The arguments of `dataporter serve`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = config::help())]
pub(super) struct Arguments {
    /// The address and port to listen on.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// Fill the database with a demo academy if it is empty.
    #[arg(long)]
    demo_if_empty: bool,
    /// Leave the scheduled jobs to another server on the same database.
    #[arg(long)]
    no_scheduler: bool,
}

/// Serves until the process receives a shutdown signal.
pub(super) fn run(data_dir: &Path, arguments: Arguments, variables: Variables) -> Result<(), Failure> {
    let listener = std::net::TcpListener::bind(arguments.listen).with_context(|| {
        format!("Failed to listen on {} (choose another address with --listen)", arguments.listen)
    })?;
    listener.set_nonblocking(true).context("Failed to listen")?;
    let address = browser_address(listener.local_addr().context("Failed to listen")?);
    let config = Config::load(variables.with_default("APP_URL", format!("http://{address}")), data_dir)?;
    logging::start(&config.logging);
    runtime()?.block_on(async {
        let shutdown = signals::shutdown()?;
        let started = shutdown.requested.run_until_cancelled(private_database(data_dir, &config)).await;
        let Some(mut private) = started.transpose()? else { return Ok(()) };
        let url = config.database.url.clone().or(private.as_ref().map(EmbeddedPostgres::database_url));
        let url = url.context("No database is configured")?;
        let directory = private.as_ref().map(|_| data_dir);
        let demo = arguments.demo_if_empty.then(|| DemoIfEmpty::new(directory));
        let serving = async {
            let prepared = shutdown.requested.run_until_cancelled(prepare(config, &url, demo)).await;
            let Some((app, message)) = prepared.transpose()? else { return Ok(()) };
            let app = App { shutdown: shutdown.requested.clone(), ..app };
            let jobs = (!arguments.no_scheduler)
                .then(|| tokio::spawn(jobs::run(app.clone(), shutdown.requested.clone())));
            serve(app, listener, &shutdown, jobs, || {
                println!("DataPorter Hub is ready at http://{address}/");
                if let Some(message) = message {
                    message.print();
                }
            })
            .await
        };
        let served = tokio::select! {
            served = serving => served,
            failure = database_failure(private.as_mut()) => Err(failure),
        };
        if let Some(private) = private {
            private.stop().await?;
        }
        Ok(served?)
    })
}

async fn private_database(data_dir: &Path, config: &Config) -> anyhow::Result<Option<EmbeddedPostgres>> {
    match config.database.url {
        Some(_) => Ok(None),
        None => EmbeddedPostgres::start(data_dir, &config.database.embedded()).await.map(Some),
    }
}

/// Waits until the private database fails. Never returns if there is none.
async fn database_failure(private: Option<&mut EmbeddedPostgres>) -> anyhow::Error {
    match private {
        Some(private) => private.failed().await,
        None => std::future::pending().await,
    }
}

/// Migrates the database and creates the application.
async fn prepare(
    config: Config,
    database: &SecretString,
    demo: Option<DemoIfEmpty>,
) -> anyhow::Result<(App, Option<StartupMessage>)> {
    let applied = db::migrate(database).await?;
    if let Some(last) = applied.last() {
        info!("Applied {} migrations, up to {last}", applied.len());
    }
    let pool = db::pool(database, config.database.pool_size, db::POOL_WAIT_TIMEOUT);
    let app = App::new(config, pool, Clock::system())?;
    let message = match demo {
        Some(demo) => Some(demo.fill(&app).await?),
        None => None,
    };
    Ok((app, message))
}

async fn serve(
    app: App,
    listener: std::net::TcpListener,
    shutdown: &Shutdown,
    jobs: Option<JoinHandle<()>>,
    on_ready: impl FnOnce(),
) -> anyhow::Result<()> {
    let (pool, ingest, sync) = (app.pool.clone(), app.ingest.clone(), app.sync.clone());
    let routes = http::router(app).into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(TcpListener::from_std(listener)?, routes)
        .with_graceful_shutdown(shutdown.requested.clone().cancelled_owned());
    on_ready();
    let (requested, running_sync) = (shutdown.requested.clone(), sync.clone());
    tokio::spawn(async move {
        requested.cancelled().await;
        running_sync.shut_down().await;
    });
    tokio::select! {
        ended = server => ended?,
        () = drain_deadline(shutdown) => warn!("Aborted the requests that were still open"),
    }
    // Events may still be waiting to be recorded after their senders have disconnected.
    if timeout(DRAIN_TIMEOUT, ingest.drained()).await.is_err() {
        warn!("Discarded player events that could not be recorded in time");
    }
    tokio::select! {
        () = sync.shut_down() => {}
        () = shutdown.forced.cancelled() => {}
    }
    if let Some(jobs) = jobs {
        let ended = shutdown.forced.run_until_cancelled(timeout(DRAIN_TIMEOUT, jobs)).await;
        if !matches!(ended, Some(Ok(_))) {
            warn!("Aborted a job that did not finish in time");
        }
    }
    pool.close();
    Ok(())
}

/// Waits until open requests must be aborted.
async fn drain_deadline(shutdown: &Shutdown) {
    shutdown.requested.cancelled().await;
    info!("Shutting down: waiting for open requests, which a second signal aborts");
    tokio::select! {
        () = sleep(DRAIN_TIMEOUT) => {}
        () = shutdown.forced.cancelled() => {}
    }
}

/// The address to open in a browser on this machine.
fn browser_address(listening: SocketAddr) -> SocketAddr {
    let ip = match listening {
        SocketAddr::V4(address) if address.ip().is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(address) if address.ip().is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        SocketAddr::V4(_) | SocketAddr::V6(_) => listening.ip(),
    };
    SocketAddr::new(ip, listening.port())
}
