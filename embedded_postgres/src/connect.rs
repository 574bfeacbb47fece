//! Connections to the cluster over its socket.

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::timeout;
use tokio_postgres::{Client, NoTls};

/// The superuser of the cluster. The product never connects as this role.
pub(super) const ADMINISTRATOR: &str = "postgres";

/// A connection as the administrator.
pub(super) struct Administrator(Client);

impl Administrator {
    /// Connects to the cluster whose socket is in this directory.
    pub async fn connect(socket_directory: &Path) -> Result<Self, tokio_postgres::Error> {
        client(&url(socket_directory, ADMINISTRATOR, "postgres")).await.map(Self)
    }

    /// Whether no long operation is running: no transaction is older than a second, and no advisory lock is
    /// held. Migrations, imports and sync runs hold one while they last.
    pub async fn is_server_idle(&self) -> Result<bool, tokio_postgres::Error> {
        let query = "\
            SELECT NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted) \
                AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'client backend' \
                    AND xact_start < now() - interval '1 second')";
        self.0.query_one(query, &[]).await?.try_get(0)
    }

    /// Creates the product's role and its database, both named `name`, if they do not exist.
    pub async fn create_application(&self, name: &str) -> anyhow::Result<()> {
        let role = self.0.query_opt("SELECT FROM pg_roles WHERE rolname = $1", &[&name]).await?;
        if role.is_none() {
            self.0
                .batch_execute(&format!(
                    "CREATE ROLE {name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
                ))
                .await
                .context("Failed to create the product's role")?;
        }
        let database = self.0.query_opt("SELECT FROM pg_database WHERE datname = $1", &[&name]).await?;
        if database.is_none() {
            self.0
                .batch_execute(&format!("CREATE DATABASE {name} OWNER {name}"))
                .await
                .context("Failed to create the product's database")?;
        }
        Ok(())
    }
}

/// Whether the database accepts a connection.
pub(super) async fn is_reachable(url: &SecretString) -> bool {
    matches!(timeout(Duration::from_secs(5), client(url)).await, Ok(Ok(_)))
}

/// The address of a database on the server whose socket is in this directory.
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
    // The task ends with the client, which reports any error.
    tokio::spawn(connection);
    Ok(client)
}
