//! A parsed `DATABASE_URL`, with defaults for the time limits that it does not set.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::TryFutureExt as _;
use percent_encoding::percent_decode_str;
use rand::seq::SliceRandom as _;
use tokio::net::lookup_host;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, LoadBalanceHosts, SslMode, SslNegotiation};

use super::connect_error::{ConnectError, within};
use super::tls::{Tls, TlsParameters};

/// The default for `connect_timeout`: the time limit of one connection attempt. A server that stays silent
/// for this long during a statement is probed on another connection.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
/// The default for `tcp_user_timeout`: how long sent data may stay unacknowledged.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(30);
/// The defaults for `keepalives_idle`, `keepalives_interval` and `keepalives_retries`.
const KEEPALIVES_IDLE: Duration = Duration::from_secs(15);
const KEEPALIVES_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVES_RETRIES: u32 = 3;
const APPLICATION_NAME: &str = "dataporter";

/// The address of a database.
pub struct Address {
    /// Credentials and connection options. The hosts and ports are taken from `servers` instead.
    pub(super) config: Config,
    /// The time limit of one connection attempt, and the silence after which a busy server is probed.
    pub(super) timeout: Duration,
    /// TLS for TCP connections; `None` for plain text.
    pub(super) tls: Option<Tls>,
    servers: Vec<Server>,
    /// The number of probes whose response is overdue.
    overdue_probes: AtomicUsize,
}

/// Counts one overdue probe until it is dropped.
pub(super) struct OverdueProbe<'a>(&'a AtomicUsize);

impl Drop for OverdueProbe<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A server named in the address.
#[derive(Clone, Debug)]
enum Server {
    Tcp {
        /// The host name or IP address to connect to.
        host: String,
        port: u16,
        /// The host name to verify in its certificate.
        name: String,
    },
    Unix(PathBuf),
}

/// Where to connect a socket to.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// A resolved IP address and port.
    Tcp {
        address: SocketAddr,
        /// The host name to verify in the server's certificate.
        name: String,
    },
    /// The path of a Unix socket.
    Unix(PathBuf),
}

impl Address {
    /// Parses a `DATABASE_URL`.
    pub fn parse(url: &str) -> Result<Self, ConnectError> {
        let (url, query, tls) = split_tls_parameters(url);
        let mut config: Config = url.parse().map_err(ConnectError::InvalidAddress)?;
        let is_set = |name: &str| parameters(query).any(|(key, _)| key == name);
        if !is_set("tcp_user_timeout") {
            config.tcp_user_timeout(TCP_USER_TIMEOUT);
        }
        if !is_set("keepalives_idle") {
            config.keepalives_idle(KEEPALIVES_IDLE);
        }
        if !is_set("keepalives_interval") {
            config.keepalives_interval(KEEPALIVES_INTERVAL);
        }
        if !is_set("keepalives_retries") {
            config.keepalives_retries(KEEPALIVES_RETRIES);
        }
        if !is_set("application_name") {
            config.application_name(APPLICATION_NAME);
        }
        // TLS is negotiated before tokio-postgres gets the stream, so tokio-postgres must not negotiate it
        // again.
        config.ssl_mode(SslMode::Require).ssl_negotiation(SslNegotiation::Direct);
        let timeout = config.get_connect_timeout().copied().unwrap_or(DEFAULT_TIMEOUT);
        let servers = servers(&config)?;
        Ok(Self {
            config,
            timeout,
            tls: Tls::from_parameters(&tls)?,
            servers,
            overdue_probes: AtomicUsize::new(0),
        })
    }

    /// Counts a probe as overdue until the guard is dropped.
    pub(super) fn count_overdue_probe(&self) -> OverdueProbe<'_> {
        self.overdue_probes.fetch_add(1, Ordering::Relaxed);
        OverdueProbe(&self.overdue_probes)
    }

    /// Whether the database has left a probe unanswered for too long.
    pub(super) fn has_overdue_probe(&self) -> bool {
        self.overdue_probes.load(Ordering::Relaxed) > 0
    }

    /// Resolves the servers to targets, in the order in which to try them.
    pub(super) async fn targets(&self) -> Result<Vec<Target>, ConnectError> {
        let (mut targets, mut last_error) = (Vec::new(), None);
        for server in &self.servers {
            match server {
                Server::Unix(path) => targets.push(Target::Unix(path.clone())),
                Server::Tcp { host, port, name } => {
                    let lookup = lookup_host((host.as_str(), *port)).map_err(ConnectError::Unreachable);
                    let target = |address| Target::Tcp { address, name: name.clone() };
                    match within(self.timeout, lookup).await {
                        Ok(addresses) => targets.extend(addresses.map(target)),
                        Err(cause) => last_error = Some(cause),
                    }
                }
            }
        }
        if self.config.get_load_balance_hosts() == LoadBalanceHosts::Random {
            targets.shuffle(&mut rand::rng());
        }
        match last_error {
            Some(last_error) if targets.is_empty() => Err(last_error),
            Some(_) | None => Ok(targets),
        }
    }
}

/// Splits an address into the address without its TLS parameters, of which tokio-postgres supports only some,
/// the original query, and the TLS parameters.
fn split_tls_parameters(url: &str) -> (String, &str, TlsParameters) {
    let mut tls = TlsParameters::default();
    // A password may contain a question mark.
    let credentials = url.find('@').unwrap_or(0);
    let Some(question_mark) = url[credentials..].find('?').map(|position| credentials + position) else {
        return (url.to_owned(), "", tls);
    };
    let (base, query) = (&url[..question_mark], &url[question_mark + 1..]);
    let mut others = Vec::new();
    for (key, value) in parameters(query) {
        let decoded = || percent_decode_str(value).decode_utf8_lossy().into_owned();
        match key {
            "sslmode" => tls.mode = Some(decoded()),
            "sslrootcert" => tls.root_certificates = Some(decoded()),
            _ => others.push(format!("{key}={value}")),
        }
    }
    (format!("{base}?{}", others.join("&")), query, tls)
}

/// The key-value pairs of a query string, not decoded.
fn parameters(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// The servers of an address. Where `hostaddr` gives an IP address, the host name is not looked up.
fn servers(config: &Config) -> Result<Vec<Server>, ConnectError> {
    let (hosts, addresses, ports) = (config.get_hosts(), config.get_hostaddrs(), config.get_ports());
    let count = hosts.len().max(addresses.len());
    let is_mismatch = |others: usize| others > 1 && others != count;
    if count == 0 || is_mismatch(ports.len()) || (!addresses.is_empty() && is_mismatch(hosts.len())) {
        return Err(ConnectError::InvalidHosts);
    }
    let server = |index: usize| {
        let port = ports.get(index).or(ports.first()).copied().unwrap_or(5432);
        match (addresses.get(index), hosts.get(index)) {
            (Some(address), Some(Host::Tcp(name))) => {
                Ok(Server::Tcp { host: address.to_string(), port, name: name.clone() })
            }
            (Some(address), _) => {
                Ok(Server::Tcp { host: address.to_string(), port, name: address.to_string() })
            }
            (None, Some(Host::Tcp(host))) => Ok(Server::Tcp { host: host.clone(), port, name: host.clone() }),
            (None, Some(Host::Unix(directory))) => {
                Ok(Server::Unix(directory.join(format!(".s.PGSQL.{port}"))))
            }
            (None, None) => Err(ConnectError::InvalidHosts),
        }
    };
    (0..count).map(server).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_mark_in_a_password_does_not_start_the_query() {
        let address = Address::parse("postgres://u:p?w&sslmode=x@localhost/db?sslmode=disable").unwrap();
        assert_eq!(address.config.get_password(), Some(b"p?w&sslmode=x".as_slice()));
        assert_eq!(address.config.get_dbname(), Some("db"));
        assert!(address.tls.is_none());
    }
}
