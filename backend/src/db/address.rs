//! Where a database is: what `DATABASE_URL` says, and the time limits that hold where it says nothing.

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

/// How long one attempt to connect may take, and how long a server may say nothing to a statement before it is asked
/// on another connection whether it still works on it. `connect_timeout` in the address is another.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long sent data may stay unacknowledged by the other machine; `tcp_user_timeout` in the address is another.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(30);
/// When the other machine is asked whether it is still there, how often and how many times; `keepalives_idle`,
/// `keepalives_interval` and `keepalives_retries` in the address are others.
const KEEPALIVES_IDLE: Duration = Duration::from_secs(15);
const KEEPALIVES_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVES_RETRIES: u32 = 3;
const APPLICATION_NAME: &str = "dataporter";

/// The address of a database.
pub struct Address {
    /// How to sign in; of the socket only its options are taken from here.
    pub(super) config: Config,
    /// How long one attempt to connect may take, and how long a server may say nothing.
    pub(super) timeout: Duration,
    /// How connections over a network are made safe, unless they are to be in plain text.
    pub(super) tls: Option<Tls>,
    servers: Vec<Server>,
    /// Questions after a statement whose answer is late.
    doubts: AtomicUsize,
}

/// Says that the database is in doubt, until it is dropped.
pub(super) struct Doubt<'a>(&'a AtomicUsize);

impl Drop for Doubt<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One of the servers that an address names.
#[derive(Clone, Debug)]
enum Server {
    Tcp {
        /// What is connected to.
        host: String,
        port: u16,
        /// What its certificate is for.
        name: String,
    },
    Unix(PathBuf),
}

/// What a socket connects to.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// A port of a machine.
    Tcp {
        /// The port.
        address: SocketAddr,
        /// What the server's certificate is for.
        name: String,
    },
    /// A socket in the file system.
    Unix(PathBuf),
}

impl Address {
    /// Reads an address as `DATABASE_URL` has it.
    pub fn parse(url: &str) -> Result<Self, ConnectError> {
        let (url, query, tls) = split(url);
        let mut config: Config = url.parse().map_err(ConnectError::Address)?;
        let is_given = |name: &str| parameters(query).any(|(key, _)| key == name);
        if !is_given("tcp_user_timeout") {
            config.tcp_user_timeout(TCP_USER_TIMEOUT);
        }
        if !is_given("keepalives_idle") {
            config.keepalives_idle(KEEPALIVES_IDLE);
        }
        if !is_given("keepalives_interval") {
            config.keepalives_interval(KEEPALIVES_INTERVAL);
        }
        if !is_given("keepalives_retries") {
            config.keepalives_retries(KEEPALIVES_RETRIES);
        }
        if !is_given("application_name") {
            config.application_name(APPLICATION_NAME);
        }
        // TLS is negotiated before tokio-postgres gets the stream, so it must not negotiate again.
        config.ssl_mode(SslMode::Require).ssl_negotiation(SslNegotiation::Direct);
        let timeout = config.get_connect_timeout().copied().unwrap_or(TIMEOUT);
        let servers = servers(&config)?;
        Ok(Self { config, timeout, tls: Tls::of(&tls)?, servers, doubts: AtomicUsize::new(0) })
    }

    /// Says that the database is in doubt.
    pub(super) fn doubt(&self) -> Doubt<'_> {
        self.doubts.fetch_add(1, Ordering::Relaxed);
        Doubt(&self.doubts)
    }

    /// Whether the database is in doubt: it was asked after a statement and does not answer.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.doubts.load(Ordering::Relaxed) > 0
    }

    /// What to connect to, one after the other until one is good.
    pub(super) async fn targets(&self) -> Result<Vec<Target>, ConnectError> {
        let (mut found, mut problem) = (Vec::new(), None);
        for server in &self.servers {
            match server {
                Server::Unix(path) => found.push(Target::Unix(path.clone())),
                Server::Tcp { host, port, name } => {
                    let looking_up = lookup_host((host.as_str(), *port)).map_err(ConnectError::Unreachable);
                    let target = |address| Target::Tcp { address, name: name.clone() };
                    match within(self.timeout, looking_up).await {
                        Ok(addresses) => found.extend(addresses.map(target)),
                        Err(cause) => problem = Some(cause),
                    }
                }
            }
        }
        if self.config.get_load_balance_hosts() == LoadBalanceHosts::Random {
            found.shuffle(&mut rand::rng());
        }
        match problem {
            Some(problem) if found.is_empty() => Err(problem),
            Some(_) | None => Ok(found),
        }
    }
}

/// The address without what it says of TLS, which the library knows only half of, and what it says of it.
fn split(url: &str) -> (String, &str, TlsParameters) {
    let mut tls = TlsParameters::default();
    // A password may hold a question mark.
    let credentials = url.find('@').unwrap_or(0);
    let Some(mark) = url[credentials..].find('?').map(|place| credentials + place) else {
        return (url.to_owned(), "", tls);
    };
    let (base, query) = (&url[..mark], &url[mark + 1..]);
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

/// The parameters of an address as they are written.
fn parameters(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// The servers of an address: names, or what `hostaddr` says instead of looking them up.
fn servers(config: &Config) -> Result<Vec<Server>, ConnectError> {
    let (hosts, addresses, ports) = (config.get_hosts(), config.get_hostaddrs(), config.get_ports());
    let count = hosts.len().max(addresses.len());
    let is_odd = |others: usize| others > 1 && others != count;
    if count == 0 || is_odd(ports.len()) || (!addresses.is_empty() && is_odd(hosts.len())) {
        return Err(ConnectError::Hosts);
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
            (None, None) => Err(ConnectError::Hosts),
        }
    };
    (0..count).map(server).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_mark_in_a_password_begins_no_parameters() {
        let address = Address::parse("postgres://u:p?w&sslmode=x@localhost/db?sslmode=disable").unwrap();
        assert_eq!(address.config.get_password(), Some(b"p?w&sslmode=x".as_slice()));
        assert_eq!(address.config.get_dbname(), Some("db"));
        assert!(address.tls.is_none());
    }
}
