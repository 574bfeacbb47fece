//! The strict reading of a JSON Web Token.
//!
//! Only the algorithm that the key itself is for counts, never the one that the token asks for. Claims are read into
//! exact types: a time that is a string, a fraction, null or missing makes the token void instead of everlasting.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

/// No token of ours or of a sane platform is longer.
const MAX_BYTES: usize = 8 * 1024;

/// The header, not yet proven by any signature: good for choosing a key and nothing else.
pub fn header(token: &str) -> Option<Header> {
    if token.len() > MAX_BYTES {
        return None;
    }
    let header = jsonwebtoken::decode_header(token).ok()?;
    // An extension that must be understood (RFC 7515 §4.1.11) and is not.
    header.crit.is_none().then_some(header)
}

/// The claims, if the key made the signature with its own algorithm and each claim is of its type.
pub fn claims<C: DeserializeOwned>(token: &str, key: &DecodingKey, algorithm: Algorithm) -> Option<C> {
    header(token)?;
    let mut signature_only = Validation::new(algorithm);
    // The library reads the system's clock and tolerates fractions; times and audiences are judged by the callers.
    signature_only.required_spec_claims = HashSet::new();
    signature_only.validate_exp = false;
    signature_only.validate_aud = false;
    jsonwebtoken::decode(token, key, &signature_only).ok().map(|token| token.claims)
}

/// The moment that a number of seconds names, if there is such a moment.
pub fn moment(seconds: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(seconds, 0)
}

/// Reads an optional time that is a whole number wherever it is given: null is refused.
pub fn given_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    i64::deserialize(deserializer).map(Some)
}
