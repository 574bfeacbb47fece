//! JSON Web Tokens that the hub signs for itself: HS256, with a separate key for each purpose, identified by
//! `kid`.
//!
//! Checks signatures only. [`super::access_token`] and [`super::player_token`] validate the claims.

use anyhow::{Context, Result};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::jwt;
use super::keys::{Keys, Purpose};

/// The `aud` claim: the hub issues these tokens to itself.
pub const AUDIENCE: &str = "dataporter-hub";

/// Signs claims for a purpose.
pub fn sign<C: Serialize>(keys: &Keys, purpose: Purpose, claims: &C) -> Result<SecretString> {
    let (key_id, secret) = keys.signing_key(purpose);
    let header = Header { kid: Some(key_id.to_owned()), ..Header::new(Algorithm::HS256) };
    let key = EncodingKey::from_secret(secret.expose_secret());
    let token = jsonwebtoken::encode(&header, claims, &key).context("signing a token")?;
    Ok(token.into())
}

/// The claims of a token, if one of our keys signed it for this purpose.
pub fn verify<C: DeserializeOwned>(keys: &Keys, purpose: Purpose, token: &str) -> Option<C> {
    let header = jwt::unverified_header(token)?;
    let secret = keys.verifying_key(purpose, header.kid.as_deref()?)?;
    let key = DecodingKey::from_secret(secret.expose_secret());
    jwt::claims(token, &key, Algorithm::HS256)
}
