//! The one kind of HTTP client with which the hub talks to other servers.
//!
//! Every request has a time limit, and none follows a redirect: an address was configured, and whoever answers there
//! cannot send the hub on to another one, say inside its own network.

use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::{Client, ClientBuilder, Url, redirect};
use rustls::crypto::{CryptoProvider, ring};

/// A client whose requests take this long at most.
pub fn client(limit: Duration) -> Result<Client> {
    builder(limit).build().context("setting up an HTTP client")
}

fn builder(limit: Duration) -> ClientBuilder {
    if CryptoProvider::get_default().is_none() {
        // Another thread may have been faster, with the same provider.
        ring::default_provider().install_default().ok();
    }
    Client::builder()
        .timeout(limit)
        .redirect(redirect::Policy::none())
        .user_agent(concat!("dataporter-hub/", env!("CARGO_PKG_VERSION")))
}

/// How long a service may take to accept a connection.
const CONNECTING: Duration = Duration::from_secs(3);

/// A client for the analytics services, whose requests take this long at most. It sends each request once: whether to
/// send it again is decided where it is known what that does.
pub fn telemetry_client(limit: Duration) -> Client {
    let client = builder(limit).connect_timeout(CONNECTING).retry(reqwest::retry::never());
    client.build().expect("nothing in these settings depends on where the hub runs")
}

/// The address of a path below another address.
pub fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    let folder = base.path().trim_end_matches('/');
    url.set_path(&format!("{folder}/{path}"));
    url.set_query(None);
    url.set_fragment(None);
    url
}
