//! The database settings.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::kind::{self, Kind};
use super::reader::Reader;
use crate::db::{Address, ConnectError};

/// The accepted values of `DATABASE_URL`.
const ACCEPTED_URL: &str = "a URL such as postgresql://user:password@host:5432/database";

/// The database settings.
#[derive(Debug)]
pub struct Database {
    /// The database's address. `None` for the private database in the data directory.
    pub url: Option<SecretString>,
    /// The directory of the PostgreSQL programs for the private database.
    pub postgres_bin: Option<PathBuf>,
    /// The maximum number of connections per server.
    pub pool_size: usize,
}

impl Database {
    /// The settings of the private database: enough connections for the pool, for recording, and for other processes.
    pub fn embedded(&self) -> embedded_postgres::Settings {
        embedded_postgres::Settings {
            postgres_bin: self.postgres_bin.clone(),
            max_connections: self.pool_size + 40,
            upgrade_check_interval: Duration::from_secs(5),
        }
    }

    pub(super) fn read(reader: &mut Reader) -> Self {
        let url = reader.optional(
            "DATABASE_URL",
            url(),
            "The PostgreSQL database (version 15 or newer). Without it, a private database runs in the data directory.",
        );
        match url.as_ref().map(|url| Address::parse(url.expose_secret())) {
            Some(Err(ConnectError::Tls(reason))) => {
                reader.report_error("DATABASE_URL", &format!("has invalid TLS parameters: {reason}"));
            }
            // tokio-postgres's error may repeat a part of the address.
            Some(Err(ConnectError::InvalidAddress(_))) => {
                reader.report_error("DATABASE_URL", &format!("must be {ACCEPTED_URL}"))
            }
            Some(Err(cause)) => reader.report_error("DATABASE_URL", &format!("is invalid: {cause}")),
            Some(Ok(_)) | None => {}
        }
        Self {
            url,
            postgres_bin: reader.optional(
                "DATAPORTER_PG_BIN",
                Kind::new("a directory that contains the programs initdb and postgres", |text| {
                    let directory = PathBuf::from(text);
                    ["initdb", "postgres"].iter().all(|name| directory.join(name).is_file()).then_some(directory)
                }),
                "The directory of the PostgreSQL programs for the private database. Without it, PATH and the usual directories are searched.",
            ),
            pool_size: reader.setting(
                "DATABASE_POOL_SIZE",
                "16",
                kind::number(2..=500),
                "Maximum number of database connections per server, not counting up to four that record player events.",
            ),
        }
    }
}

fn url() -> Kind<SecretString> {
    Kind::new(ACCEPTED_URL, |text| {
        let has_scheme =
            ["postgresql://", "postgres://"].iter().any(|has_scheme| text.starts_with(has_scheme));
        has_scheme.then(|| SecretString::from(text))
    })
}
