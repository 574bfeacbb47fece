//! `dataporter serve`

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use super::demo::{IfEmpty, Notice};
use super::signals::{self, Stop};
use super::{Failure, logging, runtime};
use crate::app::App;
use crate::clock::Clock;
use crate::config::{self, Config, Variables};
use crate::db::embedded::EmbeddedPostgres;
use crate::{db, http, jobs};

/// How long requests may go on after the server was told to end.
const DRAIN: Duration = Duration::from_secs(20);

/// What can be asked for.
#[derive(Debug, clap::Args)]
#[command(after_long_help = config::help())]
pub(super) struct Arguments {
    /// The address and port to listen on.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// Fill the database with a demo academy if nothing is in it.
    #[arg(long)]
    demo_if_empty: bool,
    /// Leave what is done on a schedule to another server on the same database.
    #[arg(long)]
    no_scheduler: bool,
}

/// Serves until the process is told to end.
pub(super) fn run(data_dir: &Path, arguments: Arguments, variables: Variables) -> Result<(), Failure> {
    let listener = std::net::TcpListener::bind(arguments.listen)
        .with_context(|| format!("Cannot listen on {}; --listen takes another address", arguments.listen))?;
    listener.set_nonblocking(true).context("Cannot listen")?;
    let address = browsable(listener.local_addr().context("Cannot listen")?);
    let config = Config::load(variables.with_default("APP_URL", format!("http://{address}")), data_dir)?;
    logging::start(&config.logging);
    runtime()?.block_on(async {
        let stop = signals::stop()?;
        let started = stop.told.run_until_cancelled(private_database(data_dir, &config)).await;
        let Some(mut private) = started.transpose()? else { return Ok(()) };
        let url = config.database.url.clone().or(private.as_ref().map(EmbeddedPostgres::database_url));
        let url = url.context("There is no database")?;
        let kept_in = private.as_ref().map(|_| data_dir);
        let demo = arguments.demo_if_empty.then(|| IfEmpty::new(kept_in));
        let serving = async {
            let prepared = stop.told.run_until_cancelled(prepare(config, &url, demo)).await;
            let Some((app, notice)) = prepared.transpose()? else { return Ok(()) };
            let app = App { ending: stop.told.clone(), ..app };
            let jobs =
                (!arguments.no_scheduler).then(|| tokio::spawn(jobs::run(app.clone(), stop.told.clone())));
            serve(app, listener, &stop, jobs, || {
                println!("DataPorter Hub is ready at http://{address}/");
                if let Some(notice) = notice {
                    notice.print();
                }
            })
            .await
        };
        let served = tokio::select! {
            served = serving => served,
            failure = failed(private.as_mut()) => Err(failure),
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
        None => EmbeddedPostgres::start(data_dir, &config.database).await.map(Some),
    }
}

async fn failed(private: Option<&mut EmbeddedPostgres>) -> anyhow::Error {
    match private {
        Some(private) => private.failed().await,
        None => std::future::pending().await,
    }
}

/// Brings the database up to date and puts the application together.
async fn prepare(
    config: Config,
    database: &SecretString,
    demo: Option<IfEmpty>,
) -> anyhow::Result<(App, Option<Notice>)> {
    let applied = db::migrate(database).await?;
    if let Some(last) = applied.last() {
        info!("Applied {} migrations, up to {last}", applied.len());
    }
    let pool = db::pool(database, config.database.pool_size, db::POOL_PATIENCE);
    let app = App::new(config, pool, Clock::system())?;
    let notice = match demo {
        Some(demo) => Some(demo.fill(&app).await?),
        None => None,
    };
    Ok((app, notice))
}

async fn serve(
    app: App,
    listener: std::net::TcpListener,
    stop: &Stop,
    jobs: Option<JoinHandle<()>>,
    ready: impl FnOnce(),
) -> anyhow::Result<()> {
    let (pool, ingest, sync) = (app.pool.clone(), app.ingest.clone(), app.sync.clone());
    let routes = http::router(app).into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(TcpListener::from_std(listener)?, routes)
        .with_graceful_shutdown(stop.told.clone().cancelled_owned());
    ready();
    let (told, winding_up) = (stop.told.clone(), sync.clone());
    tokio::spawn(async move {
        told.cancelled().await;
        winding_up.shut_down().await;
    });
    tokio::select! {
        ended = server => ended?,
        () = drained(stop) => warn!("Cut off the requests that were still going on"),
    }
    // Events whose senders hung up may still be on their way.
    if timeout(DRAIN, ingest.drained()).await.is_err() {
        warn!("Gave up player events that could not be recorded in time");
    }
    tokio::select! {
        () = sync.shut_down() => {}
        () = stop.told_again.cancelled() => {}
    }
    if let Some(jobs) = jobs {
        let ended = stop.told_again.run_until_cancelled(timeout(DRAIN, jobs)).await;
        if !matches!(ended, Some(Ok(_))) {
            warn!("Cut off what was being done on schedule");
        }
    }
    pool.close();
    Ok(())
}

/// Waits until no request may go on any longer.
async fn drained(stop: &Stop) {
    stop.told.cancelled().await;
    info!("Told to end: letting the requests that go on finish; told again, they are cut off");
    tokio::select! {
        () = sleep(DRAIN) => {}
        () = stop.told_again.cancelled() => {}
    }
}

/// The address to type into a browser on this machine.
fn browsable(listening: SocketAddr) -> SocketAddr {
    let ip = match listening {
        SocketAddr::V4(address) if address.ip().is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(address) if address.ip().is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        SocketAddr::V4(_) | SocketAddr::V6(_) => listening.ip(),
    };
    SocketAddr::new(ip, listening.port())
}
