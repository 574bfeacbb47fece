//! HTTP clients for requests to other servers, and the cryptography provider of all TLS connections.
//!
//! Every request has a timeout, and no client follows redirects: the address was configured, and a
//! compromised server must not be able to redirect the hub to another one, such as one in its internal
//! network.

use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::{Client, ClientBuilder, Url, redirect};
use rustls::crypto::{CryptoProvider, ring};

/// A client with this timeout for each request.
pub fn client(timeout: Duration) -> Result<Client> {
    builder(timeout).build().context("Failed to create an HTTP client")
}

fn builder(timeout: Duration) -> ClientBuilder {
    install_crypto_provider();
    Client::builder()
        .timeout(timeout)
        .redirect(redirect::Policy::none())
        .user_agent(concat!("dataporter-hub/", env!("CARGO_PKG_VERSION")))
}

/// The time limit for connecting to a service.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// A client for the analytics services with this timeout for each request. It never retries a request: the
/// caller, who knows the consequences, decides that.
pub fn telemetry_client(timeout: Duration) -> Client {
    let client = builder(timeout).connect_timeout(CONNECT_TIMEOUT).retry(reqwest::retry::never());
    client.build().expect("these settings are valid on every machine")
}

/// Appends a path to a URL.
pub fn join_path(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    let base_path = base.path().trim_end_matches('/');
    url.set_path(&format!("{base_path}/{path}"));
    url.set_query(None);
    url.set_fragment(None);
    url
}

/// Installs the cryptography provider that all TLS connections of the process use.
pub fn install_crypto_provider() {
    if CryptoProvider::get_default().is_none() {
        // Fails if another thread was faster, which installed the same provider.
        ring::default_provider().install_default().ok();
    }
}
