//! Verifies a server's certificate.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::connect_error::ConnectError;

/// How thoroughly a certificate is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verification {
    /// Not at all: the connection is encrypted, but the server is not authenticated.
    Off,
    /// A trusted CA has signed it (`verify-ca`).
    Ca,
    /// A trusted CA has signed it, for the host of the address (`verify-full`).
    Full,
}

/// Verifies certificates as the address requires.
#[derive(Debug)]
pub(super) struct Verifier {
    verification: Verification,
    web_pki: Option<Arc<WebPkiServerVerifier>>,
    /// Trusted certificates: of CAs, or of the server itself.
    trusted_certificates: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    /// A verifier that trusts these certificates.
    pub fn new(
        verification: Verification,
        trusted_certificates: Vec<CertificateDer<'static>>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, ConnectError> {
        let web_pki = match verification {
            Verification::Off => None,
            Verification::Ca | Verification::Full => {
                let mut roots = RootCertStore::empty();
                // A system store may contain certificates that cannot be parsed.
                roots.add_parsable_certificates(trusted_certificates.iter().cloned());
                let verifier =
                    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                        .build();
                Some(verifier.map_err(|cause| ConnectError::Tls(format!("sslrootcert: {cause}")))?)
            }
        };
        Ok(Self { verification, web_pki, trusted_certificates, provider })
    }

    /// Checks a signature, unless verification is off. A signature then proves nothing, and the certificate
    /// may be too old to be parsed, as hand-made ones for PostgreSQL can be.
    fn check_signature(
        &self,
        verify: impl FnOnce(&WebPkiSupportedAlgorithms) -> Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        match self.verification {
            Verification::Off => Ok(HandshakeSignatureValid::assertion()),
            Verification::Ca | Verification::Full => verify(&self.provider.signature_verification_algorithms),
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(web_pki) = &self.web_pki else { return Ok(ServerCertVerified::assertion()) };
        // A trusted server certificate needs no CA.
        let result = if self.trusted_certificates.iter().any(|trusted| trusted == end_entity) {
            verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)
                .map(|()| ServerCertVerified::assertion())
        } else {
            web_pki.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        };
        match (self.verification, result) {
            // The name is checked last, so with this error everything else was valid.
            (
                Verification::Ca,
                Err(Error::InvalidCertificate(
                    CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
                )),
            ) => Ok(ServerCertVerified::assertion()),
            (Verification::Off | Verification::Ca | Verification::Full, result) => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check_signature(|algorithms| verify_tls12_signature(message, certificate, signature, algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check_signature(|algorithms| verify_tls13_signature(message, certificate, signature, algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
