//! The one kind of HTTP client with which the hub talks to other servers, and the cryptography of every client.
//!
//! Every request has a time limit, and none follows a redirect: an address was configured, and whoever answers there
//! cannot send the hub on to another one, say inside its own network.

use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::{Client, redirect};
use rustls::crypto::{CryptoProvider, ring};

/// A client whose requests take this long at most.
pub fn client(limit: Duration) -> Result<Client> {
    choose_cryptography();
    Client::builder()
        .timeout(limit)
        .redirect(redirect::Policy::none())
        .user_agent(concat!("dataporter-hub/", env!("CARGO_PKG_VERSION")))
        .build()
        .context("setting up an HTTP client")
}

/// Says which implementation of TLS's cryptography every connection of the process uses.
pub fn choose_cryptography() {
    if CryptoProvider::get_default().is_none() {
        // Another thread may have been faster, with the same provider.
        ring::default_provider().install_default().ok();
    }
}
