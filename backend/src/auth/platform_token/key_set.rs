//! The platform's public keys: a JSON Web Key Set (RFC 7517), read from a file or fetched from a URL.
//!
//! Keys are cached for ten minutes. A token with an unknown key id causes another read, at most twice a
//! minute, so key rotations are noticed at once and forged key ids cause few requests. If reading fails, the
//! cached keys remain usable for a day.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;
use tracing::warn;

use crate::outbound;

/// The age at which cached keys are read again.
const REFRESH_AFTER: TimeDelta = TimeDelta::minutes(10);
/// The age at which cached keys are no longer used.
const MAX_AGE: TimeDelta = TimeDelta::days(1);
/// The minimum time between two reads.
const MIN_READ_INTERVAL: TimeDelta = TimeDelta::seconds(30);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_RESPONSE_BYTES: usize = 256 * 1024;
/// The minimum size of an RSA modulus: 2048 bits. Smaller keys are considered breakable.
const MIN_RSA_BYTES: usize = 256;

/// Where the key set comes from.
#[derive(Debug)]
pub enum KeySource {
    /// A local file.
    File(PathBuf),
    /// A URL to fetch it from.
    Url(reqwest::Url),
}

/// A cache of the platform's keys.
#[derive(Debug)]
pub struct KeySet {
    source: KeySource,
    http: reqwest::Client,
    state: Mutex<State>,
}

/// A public key and its algorithm.
#[derive(Debug)]
pub struct PlatformKey {
    /// Verifies signatures.
    pub verifier: DecodingKey,
    /// RS256, ES256 or EdDSA, depending on the type of the key.
    pub algorithm: Algorithm,
}

type KeysById = HashMap<String, Arc<PlatformKey>>;

#[derive(Debug, Default)]
struct State {
    keys: KeysById,
    read_at: Option<DateTime<Utc>>,
    attempted_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    /// An empty cache. Keys are read on first use.
    pub fn new(source: KeySource) -> Result<Self> {
        Ok(Self { source, http: outbound::client(REQUEST_TIMEOUT)?, state: Mutex::default() })
    }

    /// The key with this id.
    pub async fn find(&self, key_id: &str, now: DateTime<Utc>) -> Option<Arc<PlatformKey>> {
        // The lock stays acquired during the read, so that concurrent requests wait for the same result.
        let mut state = self.state.lock().await;
        let is_within = |time: Option<DateTime<Utc>>, limit| time.is_some_and(|time| now - time < limit);
        let is_read_needed = !is_within(state.read_at, REFRESH_AFTER) || !state.keys.contains_key(key_id);
        if is_read_needed && !is_within(state.attempted_at, MIN_READ_INTERVAL) {
            state.attempted_at = Some(now);
            match self.read().await {
                Ok(keys) => {
                    state.keys = keys;
                    state.read_at = Some(now);
                }
                Err(error) => warn!(error = format!("{error:#}"), "Failed to read the platform's keys"),
            }
        }
        if !is_within(state.read_at, MAX_AGE) {
            return None;
        }
        state.keys.get(key_id).cloned()
    }

    async fn read(&self) -> Result<KeysById> {
        let document = match &self.source {
            KeySource::File(path) => {
                tokio::fs::read(path).await.with_context(|| format!("reading {}", path.display()))?
            }
            KeySource::Url(url) => self.fetch(url.clone()).await?,
        };
        parse(&document)
    }

    async fn fetch(&self, url: reqwest::Url) -> Result<Vec<u8>> {
        let mut response = self.http.get(url).send().await?.error_for_status()?;
        if !response.status().is_success() {
            bail!("unexpected status {}", response.status());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_RESPONSE_BYTES {
                bail!("the response is larger than {MAX_RESPONSE_BYTES} bytes");
            }
        }
        Ok(body)
    }
}

/// The usable keys of a document. Everything but public signature keys of supported types is ignored.
fn parse(document: &[u8]) -> Result<KeysById> {
    let Document { keys } = serde_json::from_slice(document).context("parsing the key set")?;
    Ok(keys.into_iter().filter_map(parse_key).collect())
}

fn parse_key(key: Value) -> Option<(String, Arc<PlatformKey>)> {
    let jwk: Jwk = serde_json::from_value(key).ok()?;
    let key_id = jwk.common.key_id.clone()?;
    let algorithm = algorithm_of(&jwk.algorithm)?;
    let is_for_signatures =
        jwk.common.public_key_use.as_ref().is_none_or(|key_use| *key_use == PublicKeyUse::Signature);
    let is_for_algorithm =
        jwk.common.key_algorithm.is_none_or(|stated| stated == KeyAlgorithm::from(algorithm));
    let verifier = DecodingKey::from_jwk(&jwk).ok()?;
    (is_for_signatures && is_for_algorithm).then(|| (key_id, Arc::new(PlatformKey { verifier, algorithm })))
}

/// The algorithm for a key's type. Symmetric keys are rejected: they must not appear in a public document.
fn algorithm_of(parameters: &AlgorithmParameters) -> Option<Algorithm> {
    match parameters {
        AlgorithmParameters::RSA(rsa) => {
            let modulus = URL_SAFE_NO_PAD.decode(&rsa.n).ok()?;
            (modulus.len() >= MIN_RSA_BYTES).then_some(Algorithm::RS256)
        }
        AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P256 => Some(Algorithm::ES256),
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
            Some(Algorithm::EdDSA)
        }
        _ => None,
    }
}
