//! Giving out API tokens.

use chrono::{DateTime, Utc};
use domain::access::{CourseScope, Credential, TokenScope, Viewer};
use domain::text::{Phrase, Text};
use secrecy::{ExposeSecret, SecretString};

use super::opaque;
use crate::db::Connection;
use crate::error::{Error, Result};
use crate::models::api_token::{ApiToken, NewApiToken};
use crate::models::user::User;

/// The most characters of a token's name.
const MAX_NAME: usize = 100;

const NAME: Text =
    Text::new("El nombre debe tener de 1 a 100 caracteres.", "The name must have from 1 to 100 characters.");
const NO_SCOPE: Text = Text::new("Elige al menos un alcance.", "Choose at least one scope.");
const IN_THE_PAST: Text = Text::new("El vencimiento ya pasó.", "The expiry is in the past.");

/// Makes a token for a user; the secret is given out this once.
pub async fn create_api_token(
    conn: &mut Connection,
    owner: &User,
    name: &str,
    scopes: &[TokenScope],
    expires_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(SecretString, ApiToken)> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(Error::invalid("name", NAME));
    }
    if scopes.is_empty() {
        return Err(Error::invalid("scopes", NO_SCOPE));
    }
    // What they may do signed in; a token never gives birth to another.
    let signed_in = Viewer {
        user_id: owner.id,
        role: owner.role,
        manages_settings: owner.manages_settings(),
        credential: Credential::Session,
        courses: CourseScope::Any,
    };
    if let Some(scope) = scopes.iter().find(|scope| !signed_in.may_give(**scope)) {
        return Err(Error::invalid("scopes", beyond_rights(*scope)));
    }
    if expires_at.is_some_and(|moment| moment <= now) {
        return Err(Error::invalid("expiresAt", IN_THE_PAST));
    }
    let (secret, prefix) = opaque::new_api_token(&mut rand::rng());
    let chosen = TokenScope::ALL.into_iter().filter(|scope| scopes.contains(scope));
    let token = NewApiToken {
        user_id: owner.id,
        name,
        prefix: &prefix,
        token_hash: &opaque::digest(secret.expose_secret()),
        scopes: chosen.map(TokenScope::key).collect(),
        created_at: now,
        expires_at,
    };
    let token = token.insert(conn).await?;
    Ok((secret, token))
}

fn beyond_rights(scope: TokenScope) -> Phrase {
    let scope = scope.key();
    Phrase::new(
        format!("El alcance «{scope}» va más allá de los derechos del dueño."),
        format!("The scope “{scope}” goes beyond the owner's rights."),
    )
}
