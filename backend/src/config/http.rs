//! What the web server accepts.

use secrecy::SecretString;

use super::kind::{self, Kind};
use super::reader::Reader;

/// The web server's switches and limits.
#[derive(Debug)]
pub struct Http {
    /// The greatest body of a request that is no upload, in bytes.
    pub max_body_bytes: usize,
    /// The web origins of players that may call the progress routes from a browser.
    pub player_origins: Vec<String>,
    /// What a scraper of `/metrics` must bring along; without it, only this machine may read them.
    pub metrics_token: Option<SecretString>,
    /// Whether the caller's address is taken from `X-Forwarded-For`.
    pub trust_proxy: bool,
}

impl Http {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            max_body_bytes: reader.setting(
                "HTTP_MAX_BODY_BYTES",
                "2097152",
                kind::number(65_536..=104_857_600),
                "The greatest body of a request that is no upload, in bytes.",
            ),
            player_origins: reader
                .optional(
                    "PLAYER_ORIGINS",
                    origin().list(),
                    "The web origins of players on other sites that may record progress from a browser.",
                )
                .unwrap_or_default(),
            metrics_token: reader.optional(
                "METRICS_TOKEN",
                kind::secret_of_at_least(16),
                "The bearer token by which /metrics may be read from anywhere; without it, only from this machine.",
            ),
            trust_proxy: reader.setting(
                "TRUST_PROXY",
                "false",
                kind::yes_or_no(),
                "Whether a caller's address is taken from X-Forwarded-For; only behind a proxy that sets it.",
            ),
        }
    }
}

fn origin() -> Kind<String> {
    Kind::new("an origin such as https://player.example.org", |text| {
        let url = reqwest::Url::parse(text).ok()?;
        let origin = url.origin();
        (origin.is_tuple() && origin.ascii_serialization() == text).then(|| text.to_owned())
    })
}
