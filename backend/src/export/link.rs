//! Signed download links: whoever holds one may fetch that one file for five minutes, and nothing else.
//!
//! The signature is an HMAC-SHA-256 over the whole query string before it, as it stands: a parameter that is altered,
//! added, doubled or moved makes another string.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use domain::Locale;
use domain::text::Text;

use super::request::{Defaults, ExportRequest, Parameters};
use crate::auth::keys::{Keys, Purpose};

/// The address that links lead to.
pub const PATH: &str = "/admin/data-porter/export";
/// How long a link is good.
pub const LIFETIME: TimeDelta = TimeDelta::minutes(5);

/// What a link stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// For whom it was made.
    pub user_id: i64,
    /// The API token that it was made with; it dies with the token.
    pub token_id: Option<i64>,
    /// The file.
    pub request: ExportRequest,
    /// Until when it is good.
    pub expires_at: DateTime<Utc>,
}

/// Why a link is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadLink {
    /// It was not made here, or was changed since.
    Altered,
    /// Its time is over.
    Expired,
}

impl BadLink {
    /// The reason in one line.
    pub const fn reason(self) -> Text {
        match self {
            Self::Altered => Text::new(
                "Este enlace fue alterado o no se creó aquí. Crea uno nuevo.",
                "This link was altered or was not made here. Make a new one.",
            ),
            Self::Expired => {
                Text::new("Este enlace venció. Crea uno nuevo.", "This link has expired. Make a new one.")
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

    /// The link behind a query string, if it is one of ours and still good.
    pub fn verify(keys: &Keys, query: &str, now: DateTime<Utc>) -> Result<Self, BadLink> {
        let (signed, signature) = query.rsplit_once("&signature=").ok_or(BadLink::Altered)?;
        let mac = URL_SAFE_NO_PAD.decode(signature).map_err(|_| BadLink::Altered)?;
        let mut parameters: Parameters = form_urlencoded::parse(signed.as_bytes()).into_owned().collect();
        let key_id = take(&mut parameters, "key").ok_or(BadLink::Altered)?;
        if !keys.verify(Purpose::Links, &key_id, signed.as_bytes(), &mac) {
            return Err(BadLink::Altered);
        }
        let link = Self::read(parameters).ok_or(BadLink::Altered)?;
        if link.expires_at <= now { Err(BadLink::Expired) } else { Ok(link) }
    }

    fn read(mut parameters: Parameters) -> Option<Self> {
        let user_id = take(&mut parameters, "user")?.parse().ok()?;
        let token_id = match take(&mut parameters, "token") {
            Some(id) => Some(id.parse().ok()?),
            None => None,
        };
        let expires = take(&mut parameters, "expires")?.parse().ok()?;
        let expires_at = DateTime::from_timestamp(expires, 0)?;
        // A link leaves nothing to defaults.
        let defaults = Defaults { locale: Locale::default(), timezone: Tz::UTC };
        let request = ExportRequest::parse(&parameters, defaults).ok()?;
        Some(Self { user_id, token_id, request, expires_at })
    }

    /// The name of the file, which tells when the link was made.
    pub fn filename(&self) -> String {
        let ExportRequest { dataset, format, timezone, .. } = &self.request;
        filename(dataset.key(), format.key(), self.expires_at - LIFETIME, *timezone)
    }
}

/// `{dataset}_{YYYYMMDD_HHMMSS}.{ext}`.
pub fn filename(dataset: &str, extension: &str, at: DateTime<Utc>, zone: Tz) -> String {
    format!("{dataset}_{}.{extension}", at.with_timezone(&zone).format("%Y%m%d_%H%M%S"))
}

fn take(parameters: &mut Parameters, key: &str) -> Option<String> {
    let place = parameters.iter().position(|(name, _)| name == key)?;
    Some(parameters.remove(place).1)
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
    fn a_link_is_good_until_it_expires() {
        let signed = link().sign(&keys());
        let query = signed.split_once('?').unwrap().1;
        let expiry = link().expires_at;
        assert_eq!(Link::verify(&keys(), query, expiry - TimeDelta::seconds(1)), Ok(link()));
        assert_eq!(Link::verify(&keys(), query, expiry), Err(BadLink::Expired));
    }

    #[test]
    fn a_link_that_is_touched_is_no_link() {
        let signed = link().sign(&keys());
        let query = signed.split_once('?').unwrap().1;
        let now = link().expires_at - LIFETIME;
        let touched = [
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
        for query in touched {
            assert_eq!(Link::verify(&keys(), &query, now), Err(BadLink::Altered), "{query}");
        }
    }
}
