//! Why a database cannot be connected to.

use std::io;
use std::time::Duration;

use diesel::ConnectionError;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;

/// Why there is no connection; says nothing of the password.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address cannot be read.
    #[error("The address of the database cannot be read")]
    Address(#[source] tokio_postgres::Error),
    /// The hosts of the address are missing, or there are more or fewer ports or addresses than hosts.
    #[error("The address of the database needs a host, and as many ports as hosts or one for all")]
    Hosts,
    /// Nothing answers there.
    #[error("The database cannot be reached")]
    Unreachable(#[source] io::Error),
    /// The line cannot be made as safe as `sslmode` asks for.
    #[error("The database cannot be reached by TLS: {0}")]
    Tls(String),
    /// It took too long.
    #[error("The database did not answer within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    /// The server said no, or broke off.
    #[error("The database refused the connection")]
    Refused(#[source] tokio_postgres::Error),
    /// The session could not be set up.
    #[error("The database refused the session's settings")]
    Session(#[source] ConnectionError),
    /// The server does not fit what `target_session_attrs` asks for.
    #[error("The database is not of the kind that target_session_attrs asks for")]
    OtherKind,
}

impl ConnectError {
    /// Whether the server is there and has no place left.
    pub(super) fn is_full(&self) -> bool {
        self.code() == Some(&SqlState::TOO_MANY_CONNECTIONS)
    }

    /// Whether the server is there and said no. What stands before it says so by a code of its own class where the server
    /// itself cannot be reached.
    pub(super) fn is_refusal(&self) -> bool {
        self.code().is_some_and(|code| !code.code().starts_with("08"))
    }

    fn code(&self) -> Option<&SqlState> {
        match self {
            Self::Refused(cause) => cause.code(),
            Self::Address(_)
            | Self::Hosts
            | Self::Unreachable(_)
            | Self::Tls(_)
            | Self::TimedOut(_)
            | Self::Session(_)
            | Self::OtherKind => None,
        }
    }
}

impl From<ConnectError> for ConnectionError {
    fn from(error: ConnectError) -> Self {
        Self::BadConnection(format!("{:#}", anyhow::Error::new(error)))
    }
}

/// Waits for the database up to a time limit, after which the error is [`ConnectError::TimedOut`].
pub async fn within<T, E: From<ConnectError>>(
    limit: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    timeout(limit, work).await.unwrap_or_else(|_| Err(ConnectError::TimedOut(limit).into()))
}
