//! JSON Web Tokens that the hub signs for itself: HS256 by a key of the token's own purpose, named by `kid`.
//!
//! Knows signatures only; what the claims say is for [`super::access_token`] and [`super::player_token`] to judge.

use anyhow::{Context, Result};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::jwt;
use super::keys::{Keys, Purpose};

/// Who the hub's own tokens are for: itself.
pub const AUDIENCE: &str = "dataporter-hub";

/// Signs claims for a purpose.
pub fn sign<C: Serialize>(keys: &Keys, purpose: Purpose, claims: &C) -> Result<SecretString> {
    let (key_id, secret) = keys.signing(purpose);
    let header = Header { kid: Some(key_id.to_owned()), ..Header::new(Algorithm::HS256) };
    let key = EncodingKey::from_secret(secret.expose_secret());
    let token = jsonwebtoken::encode(&header, claims, &key).context("signing a token")?;
    Ok(token.into())
}

/// The claims of a token that one of our keys signed for this purpose.
pub fn read<C: DeserializeOwned>(keys: &Keys, purpose: Purpose, token: &str) -> Option<C> {
    let header = jwt::header(token)?;
    let secret = keys.verifying(purpose, header.kid.as_deref()?)?;
    let key = DecodingKey::from_secret(secret.expose_secret());
    jwt::claims(token, &key, Algorithm::HS256)
}
