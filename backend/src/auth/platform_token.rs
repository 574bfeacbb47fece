//! Tokens that the learning platform signs, with a key pair or with a secret that it shares with the hub.
//!
//! The subject is the id of a user that the platform mirrored to the hub.

mod key_set;

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use self::key_set::{KeySet, KeySource};
use super::jwt;
use crate::config;

/// How far the platform's clock may be ahead of ours when it sets `nbf`.
const CLOCK_SKEW: TimeDelta = TimeDelta::seconds(10);

/// Verifies the platform's tokens. Without configuration it accepts none.
#[derive(Debug)]
pub struct PlatformTokens {
    key_set: Option<KeySet>,
    shared_secret: Option<SecretString>,
    issuer: Option<String>,
    audience: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    sub: String,
    exp: i64,
    #[serde(default, deserialize_with = "jwt::optional_seconds")]
    nbf: Option<i64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl PlatformTokens {
    /// Trusts the issuer and the keys in the settings.
    pub fn new(config: &config::auth::Auth) -> Result<Self> {
        let url = config.jwks_url.clone().map(KeySource::Url);
        let source = url.or_else(|| config.jwks_file.clone().map(KeySource::File));
        Ok(Self {
            key_set: source.map(KeySet::new).transpose()?,
            shared_secret: config.hs256_secret.clone(),
            issuer: config.issuer.clone(),
            audience: config.audience.clone(),
        })
    }

    /// The user id in a token, if the token is genuine, currently valid and meant for this hub.
    pub async fn verify(&self, token: &str, now: DateTime<Utc>) -> Option<i64> {
        let header = jwt::unverified_header(token)?;
        // The header only selects the key. Each key verifies signatures of one algorithm.
        let claims = if header.alg == Algorithm::HS256 {
            let secret = self.shared_secret.as_ref()?;
            let key = DecodingKey::from_secret(secret.expose_secret().as_bytes());
            jwt::claims(token, &key, Algorithm::HS256)?
        } else {
            let key = self.key_set.as_ref()?.find(header.kid.as_deref()?, now).await?;
            jwt::claims(token, &key.verifier, key.algorithm)?
        };
        self.validate(claims, now)
    }

    fn validate(&self, claims: Claims, now: DateTime<Utc>) -> Option<i64> {
        let Claims { iss, aud, sub, exp, nbf } = claims;
        let expected = self.audience.as_ref()?;
        let is_for_us = match aud {
            Audience::One(audience) => audience == *expected,
            Audience::Many(audiences) => audiences.contains(expected),
        };
        let has_begun = match nbf {
            Some(seconds) => jwt::timestamp(seconds)? <= now + CLOCK_SKEW,
            None => true,
        };
        let is_current = has_begun && now < jwt::timestamp(exp)?;
        (iss == *self.issuer.as_ref()? && is_for_us && is_current).then(|| sub.parse().ok()).flatten()
    }
}

#[cfg(test)]
mod tests;
