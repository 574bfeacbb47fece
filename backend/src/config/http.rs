//! The settings of the web server.

use secrecy::SecretString;

use super::kind::{self, Kind};
use super::reader::Reader;

/// The settings of the web server.
#[derive(Debug)]
pub struct Http {
    /// The maximum size of a request body, uploads excluded.
    pub max_body_bytes: usize,
    /// The web origins of players that may call the progress routes from a browser.
    pub player_origins: Vec<String>,
    /// The bearer token for `/metrics`. Without it, only this machine may read them.
    pub metrics_token: Option<SecretString>,
    /// Whether the caller's address is read from `X-Forwarded-For`.
    pub trust_proxy: bool,
}

impl Http {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            max_body_bytes: reader.setting(
                "HTTP_MAX_BODY_BYTES",
                "2097152",
                kind::number(65_536..=104_857_600),
                "Maximum size of a request body, in bytes, uploads excluded.",
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
                kind::secret_with_min_length(16),
                "The bearer token for reading /metrics. Without it, /metrics can be read only from this machine.",
            ),
            trust_proxy: reader.setting(
                "TRUST_PROXY",
                "false",
                kind::boolean(),
                "Whether a caller's address is read from X-Forwarded-For. Enable this only behind a proxy that sets the header.",
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
