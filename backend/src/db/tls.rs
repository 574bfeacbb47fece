//! TLS for database connections, configured by the `sslmode` and `sslrootcert` parameters of the address, as
//! in libpq.

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
use super::verifier::{Verification, Verifier};

/// The `SSLRequest` message, which asks the server to switch to TLS.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// The TLS parameters of an address.
#[derive(Default)]
pub(super) struct TlsParameters {
    /// `sslmode`.
    pub mode: Option<String>,
    /// `sslrootcert`: a file, or `system`.
    pub root_certificates: Option<String>,
}

/// How to negotiate TLS on a TCP connection.
pub(super) struct Tls {
    connector: TlsConnector,
    requirement: TlsRequirement,
    /// Whether a server of this address has offered TLS. From then on plain text is not accepted, so that
    /// neither another server of the address nor an attacker can downgrade the connection.
    was_offered: AtomicBool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum TlsRequirement {
    Preferred,
    Required,
}

impl Tls {
    /// The configuration for these parameters; `None` for plain text.
    pub fn from_parameters(parameters: &TlsParameters) -> Result<Option<Self>, ConnectError> {
        let roots = parameters.root_certificates.as_deref();
        let is_system = roots == Some("system");
        let mode = parameters.mode.as_deref().unwrap_or(if is_system { "verify-full" } else { "prefer" });
        if is_system && mode != "verify-full" {
            return Err(ConnectError::Tls("sslrootcert=system requires sslmode=verify-full".to_owned()));
        }
        let (requirement, verification) = match mode {
            "disable" => return Ok(None),
            "prefer" => (TlsRequirement::Preferred, Verification::Off),
            // As in libpq: with a root certificate, `require` verifies the CA.
            "require" if roots.is_some() => (TlsRequirement::Required, Verification::Ca),
            "require" => (TlsRequirement::Required, Verification::Off),
            "verify-ca" => (TlsRequirement::Required, Verification::Ca),
            "verify-full" => (TlsRequirement::Required, Verification::Full),
            _ => {
                let accepted = "disable, prefer, require, verify-ca or verify-full";
                return Err(ConnectError::Tls(format!("sslmode must be {accepted}")));
            }
        };
        // System CAs sign certificates for anyone, so without a check of the host name they prove nothing.
        if verification == Verification::Ca && roots.is_none() {
            return Err(ConnectError::Tls(format!(
                "sslmode={mode} requires sslrootcert, a file with CA certificates"
            )));
        }
        let trusted_certificates = match (verification, roots) {
            (Verification::Off, _) => Vec::new(),
            (Verification::Ca | Verification::Full, None | Some("system")) => load_system_roots()?,
            (Verification::Ca | Verification::Full, Some(file)) => load_roots(file)?,
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = Verifier::new(verification, trusted_certificates, Arc::clone(&provider))?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|cause| ConnectError::Tls(cause.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        let connector = TlsConnector::from(Arc::new(config));
        Ok(Some(Self { connector, requirement, was_offered: AtomicBool::new(false) }))
    }

    /// Negotiates TLS with the server, or plain text where that is acceptable.
    pub async fn negotiate(&self, mut stream: TcpStream, server: &str) -> Result<Socket, ConnectError> {
        stream.write_all(&SSL_REQUEST).await.map_err(ConnectError::Unreachable)?;
        let mut response = [0];
        stream.read_exact(&mut response).await.map_err(ConnectError::Unreachable)?;
        match response {
            [b'S'] => {
                self.was_offered.store(true, Ordering::Relaxed);
                let name = ServerName::try_from(server.to_owned())
                    .map_err(|_| ConnectError::Tls(format!("{server} is not a valid server name")))?;
                let stream = self.connector.connect(name, stream).await.map_err(handshake_error)?;
                Ok(Socket::Tls(Box::new(stream)))
            }
            [b'N'] if self.requirement == TlsRequirement::Preferred => {
                if self.was_offered.load(Ordering::Relaxed) {
                    let reason = "the server offers no TLS, although a server of this address did before. \
                                  Set sslmode=disable to allow plain text";
                    return Err(ConnectError::Tls(reason.to_owned()));
                }
                Ok(Socket::Tcp(stream))
            }
            [b'N'] => Err(ConnectError::Tls("the server offers no TLS, but sslmode requires it".to_owned())),
            [_] => Err(ConnectError::Tls("the server does not speak the PostgreSQL protocol".to_owned())),
        }
    }
}

fn handshake_error(cause: io::Error) -> ConnectError {
    ConnectError::Tls(cause.to_string())
}

fn load_roots(file: &str) -> Result<Vec<CertificateDer<'static>>, ConnectError> {
    // A parameter that was appended by mistake may contain a password.
    let shown_path = if file.contains(['?', '&', ';', '=', '@']) { "(value hidden)" } else { file };
    let error =
        |cause: &dyn std::fmt::Display| ConnectError::Tls(format!("sslrootcert {shown_path}: {cause}"));
    let certificates = CertificateDer::pem_file_iter(file).map_err(|cause| error(&cause))?;
    let certificates: Vec<_> = certificates.collect::<Result<_, _>>().map_err(|cause| error(&cause))?;
    if certificates.is_empty() {
        return Err(error(&"the file contains no certificates"));
    }
    Ok(certificates)
}

fn load_system_roots() -> Result<Vec<CertificateDer<'static>>, ConnectError> {
    let found = rustls_native_certs::load_native_certs().certs;
    if found.is_empty() {
        return Err(ConnectError::Tls(
            "the system has no CA certificates. Set sslrootcert to a file with CA certificates".to_owned(),
        ));
    }
    Ok(found)
}
