//! The settings: read from the environment once at the start, checked, and passed on as plain data.
//!
//! A setting is stated once, where its group's `read` asks the [`Reader`] for it: its name, its default, what is
//! accepted and what it means. `dataporter serve --help` and `.env.example` are made from the same statements.

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

/// Everything that can be set.
#[derive(Debug)]
pub struct Config {
    /// Address, language and time zone of the hub.
    pub hub: hub::Hub,
    /// The database.
    pub database: database::Database,
    /// How far a Teacher Admin may look.
    pub access: access::Access,
    /// Whose tokens are believed, and how long ours are good.
    pub auth: auth::Auth,
    /// What the GraphQL endpoint accepts.
    pub graphql: graphql::Graphql,
    /// What the web server accepts.
    pub http: http::Http,
    /// Exports.
    pub exports: exports::Exports,
    /// Imports.
    pub imports: imports::Imports,
    /// Player events on their way in.
    pub recording: recording::Recording,
    /// GA4, Mixpanel and the backlog alarm.
    pub telemetry: telemetry::Telemetry,
    /// Attendance and late cancellations.
    pub practices: practices::Practices,
    /// Outgoing mail.
    pub mail: mail::Mail,
    /// The log.
    pub logging: logging::Logging,
}

impl Config {
    /// Reads and checks these variables; without a `DATABASE_URL` the application key is kept in `data_dir`.
    ///
    /// All that is wrong is named at once.
    pub fn load(variables: Variables, data_dir: &Path) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(variables);
        let mut config = Self::read(&mut reader);
        if config.auth.app_keys.is_empty() {
            if config.database.url.is_some() {
                reader.refuse(
                    "APP_KEY",
                    "is needed beside DATABASE_URL: every server that shares the database needs the same one",
                );
            } else if reader.is_content() {
                config.auth.app_keys = vec![app_key::find_or_make(data_dir)?];
            }
        }
        reader.finish(config)
    }

    /// The defaults, with this database and this application key; fields may be changed at will.
    ///
    /// For tests and programs that bring their own database.
    pub fn for_database(url: &str, app_key: &str) -> Self {
        let variables = Variables::from([("DATABASE_URL", url), ("APP_KEY", app_key)]);
        Self::read(&mut Reader::new(variables))
    }

    /// The defaults, for whatever needs neither a database nor a key.
    pub fn of_defaults() -> Self {
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

    /// The application keys, the signing one first.
    pub fn app_keys(&self) -> &[SecretString] {
        &self.auth.app_keys
    }
}

/// Every setting with its default, what is accepted and what it means, for `dataporter serve --help`.
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

/// The text of `.env.example`: every setting, each commented out.
pub fn env_example() -> String {
    let mut example = String::from(
        "# Settings of DataPorter Hub, each with its default. Copy this file to .env and change what you need.\n\
         # This file is made from the settings themselves; a test keeps it current.\n",
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
