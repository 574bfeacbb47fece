//! The database.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::kind::{self, Kind};
use super::reader::Reader;
use crate::db::{Address, ConnectError};

/// What is accepted as the database's address.
const ADDRESS: &str = "an address such as postgresql://user:password@host:5432/database";

/// Which database, and how many connections to it.
#[derive(Debug)]
pub struct Database {
    /// Where it is; without this we run our own in the data directory.
    pub url: Option<SecretString>,
    /// Where the programs of PostgreSQL are, for the private database.
    pub postgres_bin: Option<PathBuf>,
    /// The greatest number of connections that one server keeps.
    pub pool_size: usize,
}

impl Database {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let url = reader.optional(
            "DATABASE_URL",
            url(),
            "The PostgreSQL database (15 or newer); without it, a private one in the data directory is run.",
        );
        match url.as_ref().map(|url| Address::parse(url.expose_secret())) {
            Some(Err(ConnectError::Tls(why))) => {
                reader.refuse("DATABASE_URL", &format!("asks for TLS in a way that does not work: {why}"));
            }
            // What the library says of an address may repeat a part of it.
            Some(Err(ConnectError::Address(_))) => {
                reader.refuse("DATABASE_URL", &format!("accepts {ADDRESS}"))
            }
            Some(Err(cause)) => reader.refuse("DATABASE_URL", &format!("cannot be used: {cause}")),
            Some(Ok(_)) | None => {}
        }
        Self {
            url,
            postgres_bin: reader.optional(
                "DATAPORTER_PG_BIN",
                Kind::new("a directory with the programs initdb and postgres in it", |text| {
                    let directory = PathBuf::from(text);
                    ["initdb", "postgres"].iter().all(|name| directory.join(name).is_file()).then_some(directory)
                }),
                "Where the programs of PostgreSQL are, for the private database; without it they are searched for.",
            ),
            pool_size: reader.setting(
                "DATABASE_POOL_SIZE",
                "16",
                kind::number(2..=500),
                "The greatest number of database connections that one server keeps, beside up to four that record player events.",
            ),
        }
    }
}

fn url() -> Kind<SecretString> {
    Kind::new(ADDRESS, |text| {
        let scheme = ["postgresql://", "postgres://"].iter().any(|scheme| text.starts_with(scheme));
        scheme.then(|| SecretString::from(text))
    })
}
