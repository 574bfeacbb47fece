//! Creating API tokens.

use chrono::{DateTime, Utc};
use domain::access::{CourseScope, Credential, TokenScope, Viewer};
use domain::text::{Phrase, Text};
use secrecy::{ExposeSecret, SecretString};

use super::opaque;
use crate::db::Connection;
use crate::error::{Error, Result};
use crate::models::api_token::{ApiToken, NewApiToken};
use crate::models::user::User;

/// The maximum length of a token's name, in characters.
const MAX_NAME_CHARACTERS: usize = 100;

const INVALID_NAME: Text =
    Text::new("El nombre debe tener de 1 a 100 caracteres.", "The name must have 1 to 100 characters.");
const NO_SCOPE: Text = Text::new("Elige al menos un alcance.", "Choose at least one scope.");
const EXPIRY_IN_THE_PAST: Text =
    Text::new("La fecha de vencimiento ya pasó.", "The expiry date is in the past.");

/// Creates a token for a user. The secret cannot be retrieved later.
pub async fn create_api_token(
    conn: &mut Connection,
    owner: &User,
    name: &str,
    scopes: &[TokenScope],
    expires_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(SecretString, ApiToken)> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME_CHARACTERS || name.chars().any(char::is_control) {
        return Err(Error::invalid("name", INVALID_NAME));
    }
    if scopes.is_empty() {
        return Err(Error::invalid("scopes", NO_SCOPE));
    }
    // The owner's rights when signed in: a token cannot create another token.
    let signed_in = Viewer {
        user_id: owner.id,
        role: owner.role,
        manages_settings: owner.manages_settings(),
        credential: Credential::Session,
        courses: CourseScope::Any,
    };
    if let Some(scope) = scopes.iter().find(|scope| !signed_in.may_give(**scope)) {
        return Err(Error::invalid("scopes", exceeds_permissions(*scope)));
    }
    if expires_at.is_some_and(|expires_at| expires_at <= now) {
        return Err(Error::invalid("expiresAt", EXPIRY_IN_THE_PAST));
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

fn exceeds_permissions(scope: TokenScope) -> Phrase {
    let scope = scope.key();
    Phrase::new(
        format!("El alcance «{scope}» excede los permisos del propietario."),
        format!("The scope “{scope}” exceeds the owner's permissions."),
    )
}
