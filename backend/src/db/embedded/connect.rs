//! Connections to the cluster through its socket.

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::timeout;
use tokio_postgres::{Client, NoTls};

/// The role that administers the cluster; the product never connects as it.
pub(super) const ADMINISTRATOR: &str = "postgres";

/// A connection of the administrator.
pub(super) struct Administrator(Client);

impl Administrator {
    /// Connects to the cluster with its socket in this directory.
    pub async fn connect(socket_directory: &Path) -> Result<Self, tokio_postgres::Error> {
        client(&url(socket_directory, ADMINISTRATOR, "postgres")).await.map(Self)
    }

    /// Whether nobody is in the middle of anything that takes long: no transaction is older than a second, and nobody
    /// holds an advisory lock, as migrations, imports and runs of the sync do while they last.
    pub async fn finds_it_quiet(&self) -> Result<bool, tokio_postgres::Error> {
        let question = "\
            SELECT NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted) \
                AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'client backend' \
                    AND xact_start < now() - interval '1 second')";
        self.0.query_one(question, &[]).await?.try_get(0)
    }

    /// Makes the product's role and its database, both of this name, where they are missing.
    pub async fn make_application(&self, name: &str) -> anyhow::Result<()> {
        let role = self.0.query_opt("SELECT FROM pg_roles WHERE rolname = $1", &[&name]).await?;
        if role.is_none() {
            self.0
                .batch_execute(&format!(
                    "CREATE ROLE {name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
                ))
                .await
                .context("The role for the product cannot be made")?;
        }
        let database = self.0.query_opt("SELECT FROM pg_database WHERE datname = $1", &[&name]).await?;
        if database.is_none() {
            self.0
                .batch_execute(&format!("CREATE DATABASE {name} OWNER {name}"))
                .await
                .context("The database for the product cannot be made")?;
        }
        Ok(())
    }
}

/// Whether a database can be connected to.
pub(super) async fn answers(url: &SecretString) -> bool {
    matches!(timeout(Duration::from_secs(5), client(url)).await, Ok(Ok(_)))
}

/// The address of a database behind the socket in this directory.
pub(super) fn url(socket_directory: &Path, role: &str, database: &str) -> SecretString {
    let mut host = String::new();
    for &byte in socket_directory.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
            host.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(host, "%{byte:02X}");
        }
    }
    format!("postgresql://{role}@{host}/{database}").into()
}

async fn client(url: &SecretString) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url.expose_secret(), NoTls).await?;
    // It ends with the client; an error on the way is the client's to report.
    tokio::spawn(connection);
    Ok(client)
}
