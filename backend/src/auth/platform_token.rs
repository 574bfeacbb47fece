//! Tokens that the learning platform signs: by a key pair whose public half the hub is told of, or by a shared secret.
//!
//! The subject is the id of the user whom the platform mirrored here.

mod key_set;

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use self::key_set::{KeySet, KeySource};
use super::jwt;
use crate::config;

/// How far the platform's clock may be ahead of ours when it says from when a token is good.
const CLOCK_SKEW: TimeDelta = TimeDelta::seconds(10);

/// Reads the platform's tokens; believes none where nothing is configured.
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
    #[serde(default, deserialize_with = "jwt::given_seconds")]
    nbf: Option<i64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl PlatformTokens {
    /// Believes what the settings say.
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

    /// The id of the user whom a genuine token names, if it is meant for this hub and in force.
    pub async fn read(&self, token: &str, now: DateTime<Utc>) -> Option<i64> {
        let header = jwt::header(token)?;
        // The header only says where to look: each key proves signatures of its own algorithm and no other.
        let claims = if header.alg == Algorithm::HS256 {
            let secret = self.shared_secret.as_ref()?;
            let key = DecodingKey::from_secret(secret.expose_secret().as_bytes());
            jwt::claims(token, &key, Algorithm::HS256)?
        } else {
            let key = self.key_set.as_ref()?.find(header.kid.as_deref()?, now).await?;
            jwt::claims(token, &key.verifier, key.algorithm)?
        };
        self.judge(claims, now)
    }

    fn judge(&self, claims: Claims, now: DateTime<Utc>) -> Option<i64> {
        let Claims { iss, aud, sub, exp, nbf } = claims;
        let ours = self.audience.as_ref()?;
        let for_us = match aud {
            Audience::One(audience) => audience == *ours,
            Audience::Many(audiences) => audiences.contains(ours),
        };
        let begun = match nbf {
            Some(seconds) => jwt::moment(seconds)? <= now + CLOCK_SKEW,
            None => true,
        };
        let in_force = begun && now < jwt::moment(exp)?;
        (iss == *self.issuer.as_ref()? && for_us && in_force).then(|| sub.parse().ok()).flatten()
    }
}

#[cfg(test)]
mod tests;
