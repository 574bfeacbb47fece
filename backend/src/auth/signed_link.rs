//! Signed download links. Anyone who has a link may download its one file until the link expires.
//!
//! The signature is an HMAC-SHA-256 over the exact query string before it, so altering, adding, repeating or
//! moving a parameter invalidates it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use domain::text::Text;

use super::keys::{Keys, Purpose};

/// Names and values of a query string, in order.
pub type Parameters = Vec<(String, String)>;

/// The content of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedLink {
    /// The user who created it.
    pub user_id: i64,
    /// The API token that it was created with. Revoking the token invalidates the link.
    pub token_id: Option<i64>,
    /// What it leads to.
    pub parameters: Parameters,
    pub expires_at: DateTime<Utc>,
}

/// Why a link is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadLink {
    /// It was altered, or was not created by this hub.
    Altered,
    /// It has expired.
    Expired,
}

impl BadLink {
    /// The reason, in one line.
    pub const fn reason(self) -> Text {
        match self {
            Self::Altered => Text::new(
                "Este enlace fue alterado o no se creó aquí. Crea uno nuevo.",
                "This link was altered or was not created here. Create a new one.",
            ),
            Self::Expired => {
                Text::new("Este enlace venció. Crea uno nuevo.", "This link has expired. Create a new one.")
            }
        }
    }
}

impl SignedLink {
    /// The link as this path with its query string.
    pub fn sign(&self, keys: &Keys, purpose: Purpose, path: &str) -> String {
        let (key_id, _) = keys.sign(purpose, &[]);
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("user", &self.user_id.to_string());
        if let Some(token) = self.token_id {
            query.append_pair("token", &token.to_string());
        }
        query.extend_pairs(&self.parameters);
        query.append_pair("expires", &self.expires_at.timestamp().to_string());
        query.append_pair("key", key_id);
        let query = query.finish();
        let (_, mac) = keys.sign(purpose, query.as_bytes());
        format!("{path}?{query}&signature={}", URL_SAFE_NO_PAD.encode(mac))
    }

    /// Verifies and parses a query string.
    pub fn verify(keys: &Keys, purpose: Purpose, query: &str, now: DateTime<Utc>) -> Result<Self, BadLink> {
        let link = Self::parse(keys, purpose, query).ok_or(BadLink::Altered)?;
        if link.expires_at <= now { Err(BadLink::Expired) } else { Ok(link) }
    }

    fn parse(keys: &Keys, purpose: Purpose, query: &str) -> Option<Self> {
        let (signed, signature) = query.rsplit_once("&signature=")?;
        let mac = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let mut parameters: Parameters = form_urlencoded::parse(signed.as_bytes()).into_owned().collect();
        let key_id = remove(&mut parameters, "key")?;
        if !keys.verify(purpose, &key_id, signed.as_bytes(), &mac) {
            return None;
        }
        let user_id = remove(&mut parameters, "user")?.parse().ok()?;
        let token_id = match remove(&mut parameters, "token") {
            Some(id) => Some(id.parse().ok()?),
            None => None,
        };
        let expires = remove(&mut parameters, "expires")?.parse().ok()?;
        let expires_at = DateTime::from_timestamp(expires, 0)?;
        Some(Self { user_id, token_id, parameters, expires_at })
    }
}

fn remove(parameters: &mut Parameters, key: &str) -> Option<String> {
    let position = parameters.iter().position(|(name, _)| name == key)?;
    Some(parameters.remove(position).1)
}
