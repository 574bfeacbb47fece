//! The platform's public keys (RFC 7517), read from a file or fetched from an address.
//!
//! They are kept for ten minutes. A token that names an unknown key has them read again, at most twice a minute, so that
//! a rotation is noticed at once and an attacker's invented names cost nothing. When they cannot be read, the ones from
//! before go on for a day.

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

const FRESH: TimeDelta = TimeDelta::minutes(10);
const USABLE: TimeDelta = TimeDelta::days(1);
const BETWEEN_READS: TimeDelta = TimeDelta::seconds(30);
const TIMEOUT: Duration = Duration::from_secs(5);
const MAX_BYTES: usize = 256 * 1024;
/// 2048 bits: smaller RSA keys are within reach of an attacker.
const MIN_RSA_BYTES: usize = 256;

/// Where the keys are.
#[derive(Debug)]
pub enum KeySource {
    /// In a file.
    File(PathBuf),
    /// At an address.
    Url(reqwest::Url),
}

/// The platform's keys by their names.
#[derive(Debug)]
pub struct KeySet {
    source: KeySource,
    http: reqwest::Client,
    state: Mutex<State>,
}

/// A public key and the one algorithm that it is for.
#[derive(Debug)]
pub struct PlatformKey {
    /// Proves signatures.
    pub verifier: DecodingKey,
    /// RS256, ES256 or EdDSA, by the type of the key.
    pub algorithm: Algorithm,
}

type NamedKeys = HashMap<String, Arc<PlatformKey>>;

#[derive(Debug, Default)]
struct State {
    keys: NamedKeys,
    read_at: Option<DateTime<Utc>>,
    tried_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    /// Reads nothing yet.
    pub fn new(source: KeySource) -> Result<Self> {
        Ok(Self { source, http: outbound::client(TIMEOUT)?, state: Mutex::default() })
    }

    /// The key with this name.
    pub async fn find(&self, name: &str, now: DateTime<Utc>) -> Option<Arc<PlatformKey>> {
        // The lock is held while the keys are read: whoever needs them meanwhile waits for the same answer.
        let mut state = self.state.lock().await;
        let within = |moment: Option<DateTime<Utc>>, limit| moment.is_some_and(|moment| now - moment < limit);
        let wanted = !within(state.read_at, FRESH) || !state.keys.contains_key(name);
        if wanted && !within(state.tried_at, BETWEEN_READS) {
            state.tried_at = Some(now);
            match self.read().await {
                Ok(keys) => {
                    state.keys = keys;
                    state.read_at = Some(now);
                }
                Err(error) => warn!(error = format!("{error:#}"), "Could not read the platform's keys"),
            }
        }
        if !within(state.read_at, USABLE) {
            return None;
        }
        state.keys.get(name).cloned()
    }

    async fn read(&self) -> Result<NamedKeys> {
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
            bail!("answered {}", response.status());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_BYTES {
                bail!("answered more than {MAX_BYTES} bytes");
            }
        }
        Ok(body)
    }
}

/// The usable keys of a document; what is not a public key for signatures of the known kinds is passed over.
fn parse(document: &[u8]) -> Result<NamedKeys> {
    let Document { keys } = serde_json::from_slice(document).context("reading the key set")?;
    Ok(keys.into_iter().filter_map(usable).collect())
}

fn usable(key: Value) -> Option<(String, Arc<PlatformKey>)> {
    let jwk: Jwk = serde_json::from_value(key).ok()?;
    let name = jwk.common.key_id.clone()?;
    let algorithm = algorithm_of(&jwk.algorithm)?;
    let for_signatures =
        jwk.common.public_key_use.as_ref().is_none_or(|used| *used == PublicKeyUse::Signature);
    let for_this = jwk.common.key_algorithm.is_none_or(|stated| stated == KeyAlgorithm::from(algorithm));
    let verifier = DecodingKey::from_jwk(&jwk).ok()?;
    (for_signatures && for_this).then(|| (name, Arc::new(PlatformKey { verifier, algorithm })))
}

/// The algorithm by the key's own type. Symmetric keys have no business in a public document.
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
