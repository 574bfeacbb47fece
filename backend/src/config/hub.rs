//! The hub's address, time zone and language.

use chrono_tz::Tz;
use domain::Locale;
use reqwest::Url;

use super::kind::{self, Kind};
use super::reader::Reader;

/// The hub's address, time zone and language.
#[derive(Debug)]
pub struct Hub {
    /// The public address of the hub.
    pub url: Url,
    /// The time zone of dates without a time and of displayed times.
    pub timezone: Tz,
    /// The default language.
    pub locale: Locale,
}

impl Hub {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            url: reader.setting(
                "APP_URL",
                "http://127.0.0.1:8080",
                kind::web_url(),
                "The public address of the hub. With `serve --listen` the default is that address.",
            ),
            timezone: reader.setting(
                "APP_TIMEZONE",
                "UTC",
                Kind::new("an IANA time zone such as Europe/Madrid", |text| text.parse().ok()),
                "The time zone of dates without a time and of displayed times.",
            ),
            locale: reader.setting(
                "APP_LOCALE",
                "es",
                kind::one_of(&[("es", Locale::Es), ("en", Locale::En)]),
                "The language for users and clients that do not specify one.",
            ),
        }
    }
}
