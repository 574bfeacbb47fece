//! Which certificates of a server are good.

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

/// What of a certificate is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// Nothing: the connection is encrypted, but the server is not authenticated.
    Nothing,
    /// That an authority that is trusted has signed it.
    Authority,
    /// That, and that it is for the host of the address.
    AuthorityAndName,
}

/// Checks what the address asks for.
#[derive(Debug)]
pub(super) struct Verifier {
    check: Check,
    by_authority: Option<Arc<WebPkiServerVerifier>>,
    /// What is trusted, also where it is the server's own certificate.
    trusted: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    /// Trusts these authorities.
    pub fn new(
        check: Check,
        trusted: Vec<CertificateDer<'static>>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, ConnectError> {
        let by_authority = match check {
            Check::Nothing => None,
            Check::Authority | Check::AuthorityAndName => {
                let mut roots = RootCertStore::empty();
                // A system's store may hold some that cannot be read.
                roots.add_parsable_certificates(trusted.iter().cloned());
                let verifier =
                    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                        .build();
                Some(verifier.map_err(|cause| ConnectError::Tls(format!("sslrootcert: {cause}")))?)
            }
        };
        Ok(Self { check, by_authority, trusted, provider })
    }

    /// Checks a signature, unless anybody is believed: then it proves nothing, and may be by a certificate too old to be
    /// read, as PostgreSQL's are that were made by hand.
    fn checked(
        &self,
        check: impl FnOnce(&WebPkiSupportedAlgorithms) -> Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        match self.check {
            Check::Nothing => Ok(HandshakeSignatureValid::assertion()),
            Check::Authority | Check::AuthorityAndName => {
                check(&self.provider.signature_verification_algorithms)
            }
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
        let Some(by_authority) = &self.by_authority else { return Ok(ServerCertVerified::assertion()) };
        // A server whose own certificate is trusted need not have it from anybody.
        let verified = if self.trusted.iter().any(|trusted| trusted == end_entity) {
            verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)
                .map(|()| ServerCertVerified::assertion())
        } else {
            by_authority.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        };
        match (self.check, verified) {
            // The name is looked at last.
            (
                Check::Authority,
                Err(Error::InvalidCertificate(
                    CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
                )),
            ) => Ok(ServerCertVerified::assertion()),
            (Check::Nothing | Check::Authority | Check::AuthorityAndName, verified) => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.checked(|algorithms| verify_tls12_signature(message, certificate, signature, algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.checked(|algorithms| verify_tls13_signature(message, certificate, signature, algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
