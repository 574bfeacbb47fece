//! Measures the product from outside, beside a reference in the same run, and takes real data through it.
//!
//! Everything here starts the `dataporter` binary as a person would, in a temporary directory with a private
//! PostgreSQL, and stops it again, however the run ends.

mod browser;
mod child;
mod events;
mod export;
mod hub;
mod ingest;
mod memory;
mod oulad;
mod psql;
mod series;
mod slow_reader;
mod sync;
mod wire;

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

/// Benchmarks of DataPorter Hub; without a choice, all that need no data of their own.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    which: Option<Which>,
}

#[derive(Debug, Subcommand)]
enum Which {
    /// Exports of player events beside `psql \copy` of the same select.
    Export(export::Arguments),
    /// Player events one by one beside `pgbench`, and in batches beside `psql \copy`.
    Ingest(ingest::Arguments),
    /// Recording alone, and beside somebody who downloads an export at 40 KB/s.
    SlowReader(slow_reader::Arguments),
    /// The sync of pending events beside an HTTP client that posts the same bodies.
    Sync(sync::Arguments),
    /// The Open University data set: in by the public API, out again, and compared value for value.
    Oulad {
        /// The folder with the data set, as its README describes it.
        folder: PathBuf,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    let which = Cli::parse().which;
    let work = async {
        let Some(which) = which else {
            export::run(export::Arguments::default()).await?;
            ingest::run(ingest::Arguments::default()).await?;
            slow_reader::run(slow_reader::Arguments::default()).await?;
            return sync::run(sync::Arguments::default()).await;
        };
        match which {
            Which::Export(arguments) => export::run(arguments).await,
            Which::Ingest(arguments) => ingest::run(arguments).await,
            Which::SlowReader(arguments) => slow_reader::run(arguments).await,
            Which::Sync(arguments) => sync::run(arguments).await,
            Which::Oulad { folder } => oulad::run(&folder).await,
        }
    };
    // Whatever was started is stopped when the work is dropped.
    let mut told_to_end = signal(SignalKind::terminate())?;
    tokio::select! {
        done = work => done,
        _ = told_to_end.recv() => bail!("Told to end"),
        _ = tokio::signal::ctrl_c() => bail!("Interrupted"),
    }
}
