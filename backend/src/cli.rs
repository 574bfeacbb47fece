//! The command line: the commands and their exit codes.
//!
//! Exit codes: 0 for success, 1 for failure, 2 for invalid usage or settings.

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
mod export_person;
mod logging;
mod migrate;
mod monitor_backlog;
mod retention;
mod schema;
mod serve;
mod signals;
mod sync;
mod sync_attendance;
mod token;
mod user;

/// Exports, imports and telemetry for a learning platform: the server and its commands.
#[derive(Debug, Parser)]
#[command(name = "dataporter", version)]
struct Cli {
    /// The directory of the private database and its key.
    #[arg(long, env = "DATA_DIR", default_value = "./data", global = true, value_name = "DIRECTORY")]
    data_dir: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API and the Hub.
    Serve(serve::Arguments),
    /// Apply the pending migrations.
    Migrate(migrate::Arguments),
    /// Write a dataset to standard output, exactly as the Hub's download.
    Export(export::Arguments),
    /// Write the data of a person to standard output, as a ZIP archive.
    #[command(name = "export-person")]
    ExportPerson(export_person::Arguments),
    /// Send player events to the analytics services.
    #[command(name = "telemetry:sync")]
    Sync(sync::Arguments),
    /// Test the settings of the analytics services without sending events.
    #[command(name = "telemetry:check")]
    Check(check::Arguments),
    /// Print the GraphQL schema.
    Schema,
    /// Check the pending events, and notify admins and teacher admins if a limit is reached.
    #[command(name = "telemetry:monitor-backlog")]
    MonitorBacklog(monitor_backlog::Arguments),
    /// Record who attended and who cancelled practices that have ended.
    #[command(name = "practices:sync-attendance")]
    SyncAttendance(sync_attendance::Arguments),
    /// Drop old months of player events, with their deliveries.
    Retention(retention::Arguments),
    /// Fill an empty database with a demo academy, and print its sign-ins.
    Demo(demo::Arguments),
    /// Manage accounts.
    #[command(subcommand)]
    User(user::Command),
    /// Manage API tokens.
    #[command(subcommand)]
    Token(token::Command),
}

/// Why a command did not succeed.
#[derive(Debug)]
enum Failure {
    /// The arguments or settings are invalid (exit code 2).
    Usage(String),
    /// The command failed (exit code 1).
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
            ConfigError::Invalid(_) => Self::Usage(format!("Invalid settings:\n{error}")),
            ConfigError::AppKey { .. } => Self::Usage(error.to_string()),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Internal(cause) => Self::Failed(cause),
            Error::Invalid(_) => Self::Usage(error.message().into_locale(Locale::En)),
            Error::Unauthenticated
            | Error::WrongCredentials
            | Error::Denied(_)
            | Error::RowsDenied(_)
            | Error::NotFound(_)
            | Error::Conflict(_)
            | Error::TooComplex(_)
            | Error::TooManyRequests { .. }
            | Error::Busy { .. }
            | Error::Unavailable => Self::Failed(anyhow!(error.message().into_locale(Locale::En))),
        }
    }
}

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    // Loaded before the arguments are parsed, because some of them default to environment variables.
    let env_file = dotenvy::from_path(".env");
    if let Err(error) = env_file
        && !error.not_found()
    {
        return exit_code(Err(Failure::Usage(format!("Failed to read the file .env: {error}"))));
    }
    let Cli { data_dir, command } = Cli::parse();
    exit_code(execute(data_dir, command))
}

fn execute(data_dir: PathBuf, command: Command) -> Result<(), Failure> {
    let variables = Variables::from_env();
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
        Command::ExportPerson(arguments) => {
            let config = start(&data_dir, variables)?;
            until_interrupted(export_person::run(&data_dir, config, arguments))
        }
        Command::MonitorBacklog(arguments) => {
            let config = start(&data_dir, variables)?;
            until_interrupted(monitor_backlog::run(&data_dir, config, arguments))
        }
        Command::SyncAttendance(arguments) => {
            let config = start(&data_dir, variables)?;
            until_interrupted(sync_attendance::run(&data_dir, config, arguments))
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

/// Reads the settings and starts logging, for commands other than `serve`.
fn start(data_dir: &Path, variables: Variables) -> Result<Config, Failure> {
    let config = Config::load(variables.with_default("RUST_LOG", "warn".to_owned()), data_dir)?;
    logging::start(&config.logging);
    Ok(config)
}

/// Runs a command and drops it when the process receives a shutdown signal, which also ends what it started.
fn until_interrupted(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    runtime()?.block_on(async {
        let result = signals::shutdown()?.requested.run_until_cancelled(command).await;
        result.unwrap_or_else(|| Err(Failure::Failed(anyhow!("Interrupted"))))
    })
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

fn exit_code(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage(message)) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
        Err(Failure::Failed(error)) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
