//! TLS on the way to a database, as `sslmode` and `sslrootcert` in its address ask for: the words are libpq's.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::ClientConfig;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::connect_error::ConnectError;
use super::socket::Socket;
use super::verifier::{Check, Verifier};

/// Asks the server to go on in TLS.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// What the address says of TLS.
#[derive(Default)]
pub(super) struct TlsParameters {
    /// `sslmode`.
    pub mode: Option<String>,
    /// `sslrootcert`: a file, or `system`.
    pub root_certificates: Option<String>,
}

/// How TLS is begun, for connections that go over a network.
pub(super) struct Tls {
    connector: TlsConnector,
    demand: Demand,
    /// A server of this address has offered TLS: from then on nothing goes over the network in plain text, so that no
    /// other server of the address, and nobody who poses as one, can talk us out of it.
    was_offered: AtomicBool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Demand {
    IfOffered,
    Always,
}

impl Tls {
    /// What these parameters ask for; nothing where they ask for plain text.
    pub fn of(parameters: &TlsParameters) -> Result<Option<Self>, ConnectError> {
        let roots = parameters.root_certificates.as_deref();
        let of_the_system = roots == Some("system");
        let mode = parameters.mode.as_deref().unwrap_or(if of_the_system { "verify-full" } else { "prefer" });
        if of_the_system && mode != "verify-full" {
            return Err(ConnectError::Tls(
                "sslrootcert=system goes with sslmode=verify-full only".to_owned(),
            ));
        }
        let (demand, check) = match mode {
            "disable" => return Ok(None),
            "prefer" => (Demand::IfOffered, Check::Nothing),
            // As libpq does: who names an authority wants it to count.
            "require" if roots.is_some() => (Demand::Always, Check::Authority),
            "require" => (Demand::Always, Check::Nothing),
            "verify-ca" => (Demand::Always, Check::Authority),
            "verify-full" => (Demand::Always, Check::AuthorityAndName),
            _ => {
                let accepted = "disable, prefer, require, verify-ca or verify-full";
                return Err(ConnectError::Tls(format!("sslmode accepts {accepted}")));
            }
        };
        // Any authority of the system vouches for anybody: without the name that is worth nothing.
        if check == Check::Authority && roots.is_none() {
            return Err(ConnectError::Tls(format!(
                "sslmode={mode} needs sslrootcert, a file of authorities"
            )));
        }
        let trusted = match (check, roots) {
            (Check::Nothing, _) => Vec::new(),
            (Check::Authority | Check::AuthorityAndName, None | Some("system")) => system_roots()?,
            (Check::Authority | Check::AuthorityAndName, Some(file)) => roots_in(file)?,
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = Verifier::new(check, trusted, Arc::clone(&provider))?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|cause| ConnectError::Tls(cause.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        let connector = TlsConnector::from(Arc::new(config));
        Ok(Some(Self { connector, demand, was_offered: AtomicBool::new(false) }))
    }

    /// Agrees with the server on TLS, or on plain text where that is good enough.
    pub async fn begin(&self, mut stream: TcpStream, server: &str) -> Result<Socket, ConnectError> {
        stream.write_all(&SSL_REQUEST).await.map_err(ConnectError::Unreachable)?;
        let mut answer = [0];
        stream.read_exact(&mut answer).await.map_err(ConnectError::Unreachable)?;
        match answer {
            [b'S'] => {
                self.was_offered.store(true, Ordering::Relaxed);
                let name = ServerName::try_from(server.to_owned()).map_err(|_| {
                    ConnectError::Tls(format!("{server} is no name that a certificate can be for"))
                })?;
                let stream = self.connector.connect(name, stream).await.map_err(of_handshake)?;
                Ok(Socket::Tls(Box::new(stream)))
            }
            [b'N'] if self.demand == Demand::IfOffered => {
                if self.was_offered.load(Ordering::Relaxed) {
                    let why = "it offers no TLS, and another time or another of its servers did; sslmode=disable \
                               accepts that";
                    return Err(ConnectError::Tls(why.to_owned()));
                }
                Ok(Socket::Tcp(stream))
            }
            [b'N'] => Err(ConnectError::Tls("it offers no TLS, and sslmode asks for it".to_owned())),
            [_] => Err(ConnectError::Tls("its answer is none of PostgreSQL".to_owned())),
        }
    }
}

fn of_handshake(cause: io::Error) -> ConnectError {
    ConnectError::Tls(cause.to_string())
}

fn roots_in(file: &str) -> Result<Vec<CertificateDer<'static>>, ConnectError> {
    // What follows a parameter by mistake may be a password.
    let named = if file.contains(['?', '&', ';', '=', '@']) { "(its value is not shown)" } else { file };
    let unreadable =
        |cause: &dyn std::fmt::Display| ConnectError::Tls(format!("sslrootcert {named}: {cause}"));
    let certificates = CertificateDer::pem_file_iter(file).map_err(|cause| unreadable(&cause))?;
    let certificates: Vec<_> = certificates.collect::<Result<_, _>>().map_err(|cause| unreadable(&cause))?;
    if certificates.is_empty() {
        return Err(unreadable(&"no certificate is in it"));
    }
    Ok(certificates)
}

fn system_roots() -> Result<Vec<CertificateDer<'static>>, ConnectError> {
    let found = rustls_native_certs::load_native_certs().certs;
    if found.is_empty() {
        return Err(ConnectError::Tls(
            "the system has no certificates of authorities; sslrootcert names some".to_owned(),
        ));
    }
    Ok(found)
}
