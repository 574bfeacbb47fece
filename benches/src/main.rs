//! Measures the product from outside against references in the same run, and processes a real data set.
//!
//! Every benchmark starts the `dataporter` binary in a temporary directory with an embedded PostgreSQL, and
//! stops it at the end, even after an error.

mod browser;
mod child;
mod events;
mod export;
mod hub;
mod import;
mod ingest;
mod memory;
mod oulad;
mod platform;
mod psql;
mod rates;
mod series;
mod slow_reader;
mod soak;
mod sync;
mod wire;

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

/// Benchmarks of DataPorter Hub. Without a subcommand, runs all benchmarks that need no external data set.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    benchmark: Option<Benchmark>,
}

#[derive(Debug, Subcommand)]
enum Benchmark {
    /// Compares exports of player events with `psql \copy` of the same query.
    Export(export::Arguments),
    /// Compares recording single player events with `pgbench`, and batches with `psql \copy`.
    Ingest(ingest::Arguments),
    /// Compares imports of snapshots with `psql \copy` of the same rows.
    Import(import::Arguments),
    /// Compares events of the learning platform with `pgbench` doing the same writes, and measures the attendance command.
    Platform(platform::Arguments),
    /// Compares recording alone with recording while a client downloads an export at 40 KB/s.
    SlowReader(slow_reader::Arguments),
    /// Checks that the server's memory does not grow with the size of exports in each format, and of an import.
    Soak(soak::Arguments),
    /// Compares the sync of pending events with an HTTP client that posts the same bodies.
    Sync(sync::Arguments),
    /// Imports the Open University data set through the public API, exports it, and compares every value.
    Oulad {
        /// Folder with the data set, laid out as its README describes.
        folder: PathBuf,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    let benchmark = Cli::parse().benchmark;
    let work = async {
        let Some(benchmark) = benchmark else {
            export::run(export::Arguments::default()).await?;
            ingest::run(ingest::Arguments::default()).await?;
            import::run(import::Arguments::default()).await?;
            platform::run(platform::Arguments::default()).await?;
            slow_reader::run(slow_reader::Arguments::default()).await?;
            return sync::run(sync::Arguments::default()).await;
        };
        match benchmark {
            Benchmark::Export(arguments) => export::run(arguments).await,
            Benchmark::Ingest(arguments) => ingest::run(arguments).await,
            Benchmark::Import(arguments) => import::run(arguments).await,
            Benchmark::Platform(arguments) => platform::run(arguments).await,
            Benchmark::SlowReader(arguments) => slow_reader::run(arguments).await,
            Benchmark::Soak(arguments) => soak::run(arguments).await,
            Benchmark::Sync(arguments) => sync::run(arguments).await,
            Benchmark::Oulad { folder } => oulad::run(&folder).await,
        }
    };
    // Dropping the work stops every process that it started.
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        done = work => done,
        _ = terminate.recv() => bail!("Terminated"),
        _ = tokio::signal::ctrl_c() => bail!("Interrupted"),
    }
}
