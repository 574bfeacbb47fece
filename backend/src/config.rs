//! The settings: read from the environment once at the start, validated, and passed on as plain data.
//!
//! Each setting is declared once, where its group's `read` asks the [`Reader`] for it: name, default,
//! accepted values and meaning. `dataporter serve --help` and `.env.example` are generated from these
//! declarations.

use std::fmt::Write as _;
use std::path::Path;

use secrecy::SecretString;

pub mod access;
pub mod app_key;
pub mod auth;
pub mod database;
pub mod exports;
pub mod graphql;
pub mod http;
pub mod hub;
pub mod imports;
pub mod kind;
pub mod logging;
pub mod mail;
pub mod practices;
pub mod reader;
pub mod recording;
pub mod telemetry;

use reader::Reader;
pub use reader::{ConfigError, Variables};

/// All settings.
#[derive(Debug)]
pub struct Config {
    pub hub: hub::Hub,
    pub database: database::Database,
    pub access: access::Access,
    pub auth: auth::Auth,
    pub graphql: graphql::Graphql,
    pub http: http::Http,
    pub exports: exports::Exports,
    pub imports: imports::Imports,
    pub recording: recording::Recording,
    pub telemetry: telemetry::Telemetry,
    pub practices: practices::Practices,
    pub mail: mail::Mail,
    pub logging: logging::Logging,
}

impl Config {
    /// Reads and validates the settings in these variables. Without a `DATABASE_URL` the application key is
    /// stored in `data_dir`.
    ///
    /// An error lists all invalid settings at once.
    pub fn load(variables: Variables, data_dir: &Path) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(variables);
        let mut config = Self::read(&mut reader);
        if config.auth.app_keys.is_empty() {
            if config.database.url.is_some() {
                reader.report_error(
                    "APP_KEY",
                    "is required with DATABASE_URL: all servers that share the database need the same key",
                );
            } else if reader.is_valid() {
                config.auth.app_keys = vec![app_key::find_or_create(data_dir)?];
            }
        }
        reader.finish(config)
    }

    /// The defaults with this database and this application key, for tests and programs that bring their own
    /// database. Fields may be changed freely.
    pub fn for_database(url: &str, app_key: &str) -> Self {
        let variables = Variables::from([("DATABASE_URL", url), ("APP_KEY", app_key)]);
        Self::read(&mut Reader::new(variables))
    }

    /// The defaults, for callers that need neither a database nor a key.
    pub fn defaults() -> Self {
        Self::read(&mut Reader::new(Variables::default()))
    }

    fn read(reader: &mut Reader) -> Self {
        Self {
            hub: hub::Hub::read(reader),
            database: database::Database::read(reader),
            access: access::Access::read(reader),
            auth: auth::Auth::read(reader),
            graphql: graphql::Graphql::read(reader),
            http: http::Http::read(reader),
            exports: exports::Exports::read(reader),
            imports: imports::Imports::read(reader),
            recording: recording::Recording::read(reader),
            telemetry: telemetry::Telemetry::read(reader),
            practices: practices::Practices::read(reader),
            mail: mail::Mail::read(reader),
            logging: logging::Logging::read(reader),
        }
    }

    /// The application keys. The first one signs.
    pub fn app_keys(&self) -> &[SecretString] {
        &self.auth.app_keys
    }
}

/// Help on every setting for `dataporter serve --help`: its default, accepted values and meaning.
pub fn help() -> String {
    let mut help =
        String::from("Settings (environment variables; a .env file in the current directory is read too):\n");
    for setting in reader::settings() {
        let default = setting.default.map_or(String::from("unset"), |default| format!("default {default}"));
        // Writing to a string cannot fail.
        let _ = write!(
            help,
            "\n  {}  [{default}]\n          {}\n          Accepted: {}.\n",
            setting.name, setting.meaning, setting.accepts
        );
    }
    help
}

/// The text of `.env.example`: every setting, commented out.
pub fn env_example() -> String {
    let mut example = String::from(
        "# Settings of DataPorter Hub, each with its default. Copy this file to .env and change what you need.\n\
         # This file is generated from the settings' definitions, and a test keeps it up to date.\n",
    );
    for setting in reader::settings() {
        let default = setting.default.unwrap_or_default();
        let _ = write!(
            example,
            "\n# {}\n# Accepted: {}.\n# {}={default}\n",
            setting.meaning, setting.accepts, setting.name
        );
    }
    example
}
