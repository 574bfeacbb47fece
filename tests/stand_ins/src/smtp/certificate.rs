//! Server certificates, and a certificate authority of the tests that issues them.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

/// A certificate authority.
#[derive(Debug)]
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A server's certificate with its private key.
#[derive(Debug, Clone)]
pub struct Certificate(pub(super) Arc<ServerConfig>);

impl Authority {
    /// An authority with this name and a new key. An authority of the same name has another key.
    pub fn named(name: &str) -> Self {
        let mut authority = CertificateParams::default();
        authority.distinguished_name.push(DnType::CommonName, name);
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(authority, key());
        Self(issuer.expect("the parameters are complete"))
    }

    /// The authority's certificate in PEM format, for clients that trust it.
    pub fn pem(&self) -> String {
        let base64 = BASE64_STANDARD.encode(self.0.der());
        format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n")
    }

    /// Issues a certificate for a server with this name or address.
    pub fn issue(&self, name: &str) -> Certificate {
        let key = key();
        let server = CertificateParams::new([name.to_owned()]).expect("the name is valid");
        let chain = vec![server.signed_by(&key, &self.0).expect("the parameters are complete").into()];
        let private_key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(chain, private_key));
        Certificate(Arc::new(config.expect("the key matches the certificate")))
    }
}

fn key() -> KeyPair {
    KeyPair::generate().expect("the system provides random numbers")
}
