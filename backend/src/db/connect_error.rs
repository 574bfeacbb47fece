//! Why a connection attempt failed.

use std::io;
use std::time::Duration;

use diesel::ConnectionError;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;

/// Why a connection attempt failed. Never contains the password.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address cannot be parsed.
    #[error("The database address is invalid")]
    InvalidAddress(#[source] tokio_postgres::Error),
    /// The address has no hosts, or its numbers of hosts, ports and IP addresses do not match.
    #[error(
        "The database address needs at least one host, and either one port for all hosts or one port per host"
    )]
    InvalidHosts,
    /// The server is unreachable, or the connection failed before it was set up.
    #[error("Failed to connect to the database")]
    Unreachable(#[source] io::Error),
    /// TLS could not be set up as `sslmode` requires.
    #[error("Failed to connect to the database over TLS: {0}")]
    Tls(String),
    /// The time limit passed.
    #[error("The database did not answer within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    /// The server rejected the connection or closed it.
    #[error("The database rejected the connection")]
    Rejected(#[source] tokio_postgres::Error),
    /// The session settings could not be applied.
    #[error("The database rejected the session settings")]
    Session(#[source] ConnectionError),
    /// The server does not match `target_session_attrs`.
    #[error("The database does not match target_session_attrs")]
    WrongSessionAttributes,
}

impl ConnectError {
    /// Whether the server is up but all its connection slots are in use.
    pub fn is_full(&self) -> bool {
        self.code() == Some(&SqlState::TOO_MANY_CONNECTIONS)
    }

    /// Whether the server is up and rejected the connection. A proxy that cannot reach the server answers
    /// with an error of class 08 instead.
    pub(super) fn is_rejection(&self) -> bool {
        self.code().is_some_and(|code| !code.code().starts_with("08"))
    }

    fn code(&self) -> Option<&SqlState> {
        match self {
            Self::Rejected(cause) => cause.code(),
            Self::InvalidAddress(_)
            | Self::InvalidHosts
            | Self::Unreachable(_)
            | Self::Tls(_)
            | Self::TimedOut(_)
            | Self::Session(_)
            | Self::WrongSessionAttributes => None,
        }
    }
}

impl From<ConnectError> for ConnectionError {
    fn from(error: ConnectError) -> Self {
        Self::BadConnection(format!("{:#}", anyhow::Error::new(error)))
    }
}

/// Runs `work` with a time limit, after which it fails with [`ConnectError::TimedOut`].
pub async fn within<T, E: From<ConnectError>>(
    limit: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    timeout(limit, work).await.unwrap_or_else(|_| Err(ConnectError::TimedOut(limit).into()))
}
