//! The command line: what can be asked for, and how the answer ends.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::anyhow;
use clap::{Parser, Subcommand};
use domain::Locale;

use crate::config::{Config, ConfigError, Variables};
use crate::error::Error;

mod check;
mod database;
mod demo;
mod export;
mod imports;
mod logging;
mod migrate;
mod monitor_backlog;
mod retention;
mod schema;
mod serve;
mod signals;
mod sync;
mod token;
mod user;

/// Exports, imports and telemetry of a learning platform: the server and its commands.
#[derive(Debug, Parser)]
#[command(name = "dataporter", version)]
struct Cli {
    /// Where the private database and its key are kept.
    #[arg(long, env = "DATA_DIR", default_value = "./data", global = true, value_name = "DIRECTORY")]
    data_dir: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API and the Hub.
    Serve(serve::Arguments),
    /// Apply the migrations that are missing.
    Migrate(migrate::Arguments),
    /// Write a dataset to standard output, as the Hub's download has it.
    Export(export::Arguments),
    /// Look after what was imported.
    #[command(subcommand)]
    Imports(imports::Command),
    /// Send player events to the analytics services.
    #[command(name = "telemetry:sync")]
    Sync(sync::Arguments),
    /// Try the settings of the analytics services out, without sending an event.
    #[command(name = "telemetry:check")]
    Check(check::Arguments),
    /// Print the GraphQL schema.
    Schema,
    /// Look at the events that wait for the sync, and notify admins and teacher admins when there is cause for alarm.
    #[command(name = "telemetry:monitor-backlog")]
    MonitorBacklog(monitor_backlog::Arguments),
    /// Drop the months of player events that need not be kept, with their deliveries.
    Retention(retention::Arguments),
    /// Fill an empty database with a made-up academy, and print who can sign in.
    Demo(demo::Arguments),
    /// Manage accounts.
    #[command(subcommand)]
    User(user::Command),
    /// Manage API tokens.
    #[command(subcommand)]
    Token(token::Command),
}

/// Why a command was not done.
#[derive(Debug)]
enum Failure {
    /// It cannot be done as it was asked for (exit code 2).
    Usage(String),
    /// It went wrong (exit code 1).
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        match error {
            ConfigError::Wrong(_) => Self::Usage(format!("These settings are wrong:\n{error}")),
            ConfigError::AppKey { .. } => Self::Usage(error.to_string()),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Internal(cause) => Self::Failed(cause),
            Error::Invalid(_) => Self::Usage(error.message(Locale::En)),
            Error::Unauthenticated
            | Error::WrongLogin
            | Error::Denied(_)
            | Error::RowsRefused(_)
            | Error::NotFound(_)
            | Error::Conflict(_)
            | Error::TooComplex(_)
            | Error::TooMany { .. }
            | Error::Busy { .. }
            | Error::Unavailable => Self::Failed(anyhow!(error.message(Locale::En))),
        }
    }
}

/// Does what the process's arguments ask for.
pub fn run() -> ExitCode {
    // Before the arguments are read: some take their default from the environment.
    let env_file = dotenvy::from_path(".env");
    if let Err(error) = env_file
        && !error.not_found()
    {
        return end(Err(Failure::Usage(format!("The file .env cannot be read: {error}"))));
    }
    let Cli { data_dir, command } = Cli::parse();
    end(execute(data_dir, command))
}

fn execute(data_dir: PathBuf, command: Command) -> Result<(), Failure> {
    let variables = Variables::of_the_process();
    match command {
        Command::Serve(arguments) => serve::run(&data_dir, arguments, variables),
        Command::Migrate(arguments) => {
            let config = start(&data_dir, variables)?;
            until_interrupted(migrate::run(&data_dir, &config, arguments))
        }
        Command::Export(arguments) => {
            let config = start(&data_dir, variables)?;
            until_interrupted(export::run(&data_dir, config, arguments))
        }
        Command::Imports(command) => {
            let config = start(&data_dir, variables)?;
            until_interrupted(imports::run(&data_dir, &config, command))
        }
        Command::MonitorBacklog(arguments) => {
            let config = start(&data_dir, variables)?;
            until_interrupted(monitor_backlog::run(&data_dir, config, arguments))
        }
        Command::Retention(arguments) => {
            let config = start(&data_dir, variables)?;
            until_interrupted(retention::run(&data_dir, config, arguments))
        }
        Command::Demo(arguments) => {
            let config = start(&data_dir, variables)?;
            until_interrupted(demo::run(&data_dir, &config, arguments))
        }
        Command::Sync(arguments) => {
            let config = start(&data_dir, variables)?;
            sync::run(&data_dir, config, &arguments)
        }
        Command::Check(arguments) => {
            let config = start(&data_dir, variables)?;
            until_interrupted(async { check::run(&config, &arguments).await })
        }
        Command::Schema => {
            schema::run();
            Ok(())
        }
        Command::User(command) => {
            let config = start(&data_dir, variables)?;
            until_interrupted(user::run(&data_dir, &config, command))
        }
        Command::Token(command) => {
            let config = start(&data_dir, variables)?;
            until_interrupted(token::run(&data_dir, &config, command))
        }
    }
}

/// Reads the settings and begins to log, for commands that end by themselves.
fn start(data_dir: &Path, variables: Variables) -> Result<Config, Failure> {
    let config = Config::load(variables.with_default("RUST_LOG", "warn".to_owned()), data_dir)?;
    logging::start(&config.logging);
    Ok(config)
}

/// Runs a command, which is dropped when the process is told to end: what it started then ends too.
fn until_interrupted(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    runtime()?.block_on(async {
        let done = signals::stop()?.told.run_until_cancelled(command).await;
        done.unwrap_or_else(|| Err(Failure::Failed(anyhow!("Interrupted"))))
    })
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

fn end(done: Result<(), Failure>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage(why)) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
        Err(Failure::Failed(error)) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
