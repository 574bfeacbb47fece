//! Links to exports, which are valid for five minutes.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::request::{Defaults, ExportRequest};
use crate::auth::keys::{Keys, Purpose};
pub use crate::auth::signed_link::BadLink;
use crate::auth::signed_link::SignedLink;

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

impl Link {
    /// The link as a path with its query string.
    pub fn sign(&self, keys: &Keys) -> String {
        let Self { user_id, token_id, ref request, expires_at } = *self;
        let parameters = request.parameters();
        SignedLink { user_id, token_id, parameters, expires_at }.sign(keys, Purpose::Links, PATH)
    }

    /// Verifies and parses a query string.
    pub fn verify(keys: &Keys, query: &str, now: DateTime<Utc>) -> Result<Self, BadLink> {
        let link = SignedLink::verify(keys, Purpose::Links, query, now)?;
        let request =
            ExportRequest::parse(&link.parameters, Defaults::of_link(now)).map_err(|_| BadLink::Altered)?;
        let SignedLink { user_id, token_id, parameters: _, expires_at } = link;
        Ok(Self { user_id, token_id, request, expires_at })
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

#[cfg(test)]
mod tests {
    use domain::Locale;
    use secrecy::SecretString;

    use super::*;

    fn keys() -> Keys {
        Keys::new(&[SecretString::from("0123456789abcdef0123456789abcdef")]).unwrap()
    }

    fn link() -> Link {
        let parameters = [("dataset", "video_player_events"), ("format", "csv"), ("course_id", "7")];
        let parameters = parameters.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
        let today = DateTime::UNIX_EPOCH.date_naive();
        let defaults = Defaults { locale: Locale::En, timezone: Tz::UTC, today };
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
