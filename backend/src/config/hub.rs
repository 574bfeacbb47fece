//! Where the hub is, and in which language and time zone it speaks.

use chrono_tz::Tz;
use domain::Locale;
use reqwest::Url;

use super::kind::{self, Kind};
use super::reader::Reader;

/// Address, language and time zone.
#[derive(Debug)]
pub struct Hub {
    /// The address that people and programs reach the hub at.
    pub url: Url,
    /// The time zone of whole-day dates and of what is shown.
    pub timezone: Tz,
    /// The language for whoever states none.
    pub locale: Locale,
}

impl Hub {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            url: reader.setting(
                "APP_URL",
                "http://127.0.0.1:8080",
                kind::web_address(),
                "The address that people and programs reach the hub at; `serve --listen` changes the default.",
            ),
            timezone: reader.setting(
                "APP_TIMEZONE",
                "UTC",
                Kind::new("an IANA time zone such as Europe/Madrid", |text| text.parse().ok()),
                "The time zone of whole-day dates and of what is shown.",
            ),
            locale: reader.setting(
                "APP_LOCALE",
                "es",
                kind::one_of(&[("es", Locale::Es), ("en", Locale::En)]),
                "The language for whoever states none.",
            ),
        }
    }
}
