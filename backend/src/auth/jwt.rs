//! Strict verification of JSON Web Tokens.
//!
//! The key determines the algorithm, never the token's header. Claims have exact types: a time that is a
//! string, a fraction, null or missing makes the token invalid, instead of valid forever.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

/// The maximum length of a token, more than any reasonable token needs.
const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// The header, before the signature is verified: use it only to choose a key.
pub fn unverified_header(token: &str) -> Option<Header> {
    if token.len() > MAX_TOKEN_BYTES {
        return None;
    }
    let header = jsonwebtoken::decode_header(token).ok()?;
    // `crit` lists extensions that a recipient must support (RFC 7515 §4.1.11). We support none.
    header.crit.is_none().then_some(header)
}

/// The claims, if the signature is valid for this key and algorithm and each claim has the right type.
pub fn claims<C: DeserializeOwned>(token: &str, key: &DecodingKey, algorithm: Algorithm) -> Option<C> {
    unverified_header(token)?;
    let mut signature_only = Validation::new(algorithm);
    // The library would use the system's clock and accept fractions, so callers validate times and audiences.
    signature_only.required_spec_claims = HashSet::new();
    signature_only.validate_exp = false;
    signature_only.validate_aud = false;
    jsonwebtoken::decode(token, key, &signature_only).ok().map(|token| token.claims)
}

/// The time at this number of seconds since the Unix epoch; `None` if it is out of range.
pub fn timestamp(seconds: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(seconds, 0)
}

/// Deserializes an optional time as a whole number of seconds. The claim may be missing, but not null.
pub fn optional_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    i64::deserialize(deserializer).map(Some)
}
