//! Signed download links. Anyone who has a link may download its one file for five minutes.
//!
//! The signature is an HMAC-SHA-256 over the exact query string before it, so altering, adding, repeating or
//! moving a parameter invalidates it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use domain::Locale;
use domain::text::Text;

use super::request::{Defaults, ExportRequest, Parameters};
use crate::auth::keys::{Keys, Purpose};

/// The path of download links.
pub const PATH: &str = "/admin/data-porter/export";
/// How long a link is valid.
pub const LIFETIME: TimeDelta = TimeDelta::minutes(5);

/// The content of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The user who created it.
    pub user_id: i64,
    /// The API token that it was created with. Revoking the token invalidates the link.
    pub token_id: Option<i64>,
    pub request: ExportRequest,
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

impl Link {
    /// The link as a path with its query string.
    pub fn sign(&self, keys: &Keys) -> String {
        let (key_id, _) = keys.sign(Purpose::Links, &[]);
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("user", &self.user_id.to_string());
        if let Some(token) = self.token_id {
            query.append_pair("token", &token.to_string());
        }
        query.extend_pairs(self.request.parameters());
        query.append_pair("expires", &self.expires_at.timestamp().to_string());
        query.append_pair("key", key_id);
        let query = query.finish();
        let (_, mac) = keys.sign(Purpose::Links, query.as_bytes());
        format!("{PATH}?{query}&signature={}", URL_SAFE_NO_PAD.encode(mac))
    }

    /// Verifies and parses a query string.
    pub fn verify(keys: &Keys, query: &str, now: DateTime<Utc>) -> Result<Self, BadLink> {
        let (signed, signature) = query.rsplit_once("&signature=").ok_or(BadLink::Altered)?;
        let mac = URL_SAFE_NO_PAD.decode(signature).map_err(|_| BadLink::Altered)?;
        let mut parameters: Parameters = form_urlencoded::parse(signed.as_bytes()).into_owned().collect();
        let key_id = remove(&mut parameters, "key").ok_or(BadLink::Altered)?;
        if !keys.verify(Purpose::Links, &key_id, signed.as_bytes(), &mac) {
            return Err(BadLink::Altered);
        }
        let link = Self::parse(parameters).ok_or(BadLink::Altered)?;
        if link.expires_at <= now { Err(BadLink::Expired) } else { Ok(link) }
    }

    fn parse(mut parameters: Parameters) -> Option<Self> {
        let user_id = remove(&mut parameters, "user")?.parse().ok()?;
        let token_id = match remove(&mut parameters, "token") {
            Some(id) => Some(id.parse().ok()?),
            None => None,
        };
        let expires = remove(&mut parameters, "expires")?.parse().ok()?;
        let expires_at = DateTime::from_timestamp(expires, 0)?;
        // A link sets every option, so the defaults do not matter.
        let defaults = Defaults { locale: Locale::default(), timezone: Tz::UTC };
        let request = ExportRequest::parse(&parameters, defaults).ok()?;
        Some(Self { user_id, token_id, request, expires_at })
    }

    /// The name of the file, which contains the time when the link was created.
    pub fn filename(&self) -> String {
        let ExportRequest { dataset, format, timezone, .. } = &self.request;
        filename(dataset.key(), format.key(), self.expires_at - LIFETIME, *timezone)
    }
}

/// `{dataset}_{YYYYMMDD_HHMMSS}.{ext}`.
pub fn filename(dataset: &str, extension: &str, at: DateTime<Utc>, zone: Tz) -> String {
    format!("{dataset}_{}.{extension}", at.with_timezone(&zone).format("%Y%m%d_%H%M%S"))
}

fn remove(parameters: &mut Parameters, key: &str) -> Option<String> {
    let position = parameters.iter().position(|(name, _)| name == key)?;
    Some(parameters.remove(position).1)
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    fn keys() -> Keys {
        Keys::new(&[SecretString::from("0123456789abcdef0123456789abcdef")]).unwrap()
    }

    fn link() -> Link {
        let parameters = [("dataset", "video_player_events"), ("format", "csv"), ("course_id", "7")];
        let parameters = parameters.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
        let defaults = Defaults { locale: Locale::En, timezone: Tz::UTC };
        Link {
            user_id: 42,
            token_id: None,
            request: ExportRequest::parse(&parameters, defaults).unwrap(),
            expires_at: DateTime::from_timestamp(1_763_286_600, 0).unwrap(),
        }
    }

    #[test]
    fn a_link_is_valid_until_it_expires() {
        let signed = link().sign(&keys());
        let query = signed.split_once('?').unwrap().1;
        let expiry = link().expires_at;
        assert_eq!(Link::verify(&keys(), query, expiry - TimeDelta::seconds(1)), Ok(link()));
        assert_eq!(Link::verify(&keys(), query, expiry), Err(BadLink::Expired));
    }

    #[test]
    fn an_altered_link_is_invalid() {
        let signed = link().sign(&keys());
        let query = signed.split_once('?').unwrap().1;
        let now = link().expires_at - LIFETIME;
        let altered = [
            query.replace("course_id=7", "course_id=8"),
            query.replace("user=42", "user=43"),
            query.replace("expires=1763286600", "expires=1963286600"),
            query.replace("course_id=7&", ""),
            query.replace("course_id=7", "course_id=7&course_id=7"),
            query.replace("user=42&dataset=video_player_events", "dataset=video_player_events&user=42"),
            query.replace("course_id=7", "course_id=%37"),
            format!("{query}&columns=event"),
            format!("columns=event&{query}"),
            format!("{query}&signature=AAAA"),
            query.rsplit_once('&').unwrap().0.to_owned(),
        ];
        for query in altered {
            assert_eq!(Link::verify(&keys(), &query, now), Err(BadLink::Altered), "{query}");
        }
    }
}
