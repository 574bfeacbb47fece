//! Tokens that the learning platform signs: by a key pair whose public half the hub is told of, or by a shared secret.
//!
//! The subject is the id of the user whom the platform mirrored here.

mod key_set;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

pub use self::key_set::{KeySet, KeySource};
use super::jwt;

/// How far the platform's clock may be ahead of ours when it says from when a token is good.
const CLOCK_SKEW: TimeDelta = TimeDelta::seconds(10);

/// What the hub believes the platform by.
#[derive(Debug)]
pub enum Trust {
    /// Public keys (`AUTH_JWKS_URL`, `AUTH_JWKS_FILE`).
    KeySet(KeySet),
    /// A secret that both sides know (`AUTH_HS256_SECRET`).
    SharedSecret(SecretString),
}

/// Reads the platform's tokens.
#[derive(Debug)]
pub struct PlatformTokens {
    /// How signatures are proven.
    pub trust: Trust,
    /// What `iss` must be (`AUTH_ISSUER`).
    pub issuer: String,
    /// What `aud` must be or contain (`AUTH_AUDIENCE`).
    pub audience: String,
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
    /// The id of the user whom a genuine token names, if it is meant for this hub and in force.
    pub async fn read(&self, token: &str, now: DateTime<Utc>) -> Option<i64> {
        let claims = match &self.trust {
            Trust::SharedSecret(secret) => {
                let key = DecodingKey::from_secret(secret.expose_secret().as_bytes());
                jwt::claims(token, &key, Algorithm::HS256)?
            }
            Trust::KeySet(keys) => {
                let header = jwt::header(token)?;
                let key = keys.find(header.kid.as_deref()?, now).await?;
                jwt::claims(token, &key.verifier, key.algorithm)?
            }
        };
        self.judge(claims, now)
    }

    fn judge(&self, claims: Claims, now: DateTime<Utc>) -> Option<i64> {
        let Claims { iss, aud, sub, exp, nbf } = claims;
        let for_us = match aud {
            Audience::One(audience) => audience == self.audience,
            Audience::Many(audiences) => audiences.contains(&self.audience),
        };
        let begun = match nbf {
            Some(seconds) => jwt::moment(seconds)? <= now + CLOCK_SKEW,
            None => true,
        };
        let in_force = begun && now < jwt::moment(exp)?;
        (iss == self.issuer && for_us && in_force).then(|| sub.parse().ok()).flatten()
    }
}

#[cfg(test)]
mod tests;
