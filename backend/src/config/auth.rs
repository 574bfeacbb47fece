//! Authentication: our own keys, and the keys of the learning platform's tokens.

use std::path::PathBuf;

use reqwest::Url;
use secrecy::SecretString;

use super::kind::{self, Kind};
use super::reader::Reader;
use crate::auth::keys::MIN_KEY_BYTES;

/// Keys and limits of authentication.
#[derive(Debug)]
pub struct Auth {
    /// Keys for our tokens and links. The first one signs; all of them verify.
    pub app_keys: Vec<SecretString>,
    /// The address of the learning platform's public keys.
    pub jwks_url: Option<Url>,
    /// A file with the learning platform's public keys.
    pub jwks_file: Option<PathBuf>,
    /// The secret shared with a learning platform that signs with HS256.
    pub hs256_secret: Option<SecretString>,
    /// The `iss` that a platform token must have.
    pub issuer: Option<String>,
    /// The `aud` that a platform token must have.
    pub audience: Option<String>,
    /// The secrets with which the learning platform signs its webhooks.
    pub webhook_secrets: Vec<SecretString>,
    /// Failed sign-ins per account before delays start.
    pub login_attempts_per_account: u32,
    /// Sign-in attempts per address and minute.
    pub login_attempts_per_address: u32,
}

impl Auth {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let auth = Self {
            app_keys: reader
                .optional(
                    "APP_KEY",
                    kind::secret_with_min_length(MIN_KEY_BYTES).list(),
                    "Keys for tokens and links. The first one signs; all of them verify. With the private database a key is generated and stored.",
                )
                .unwrap_or_default(),
            jwks_url: reader.optional(
                "AUTH_JWKS_URL",
                kind::secure_url(),
                "The address of the public keys for the learning platform's tokens (RS256, ES256, EdDSA).",
            ),
            jwks_file: reader.optional(
                "AUTH_JWKS_FILE",
                Kind::new("the path of an existing file", |text| Some(PathBuf::from(text)).filter(|path| path.is_file())),
                "A file with those public keys, instead of AUTH_JWKS_URL.",
            ),
            hs256_secret: reader.optional(
                "AUTH_HS256_SECRET",
                kind::secret_with_min_length(MIN_KEY_BYTES),
                "The secret shared with a learning platform that signs its tokens with HS256.",
            ),
            issuer: reader.optional("AUTH_ISSUER", kind::text(), "The issuer (iss) that a platform token must have."),
            audience: reader.optional(
                "AUTH_AUDIENCE",
                kind::text(),
                "The audience (aud) that a platform token must have.",
            ),
            webhook_secrets: reader
                .optional(
                    "PLATFORM_WEBHOOK_SECRET",
                    kind::secret_with_min_length(MIN_KEY_BYTES).list(),
                    "The secret with which the learning platform signs its events (POST /api/platform/events). Two while it is rotated; both are accepted.",
                )
                .unwrap_or_default(),
            login_attempts_per_account: reader.setting(
                "LOGIN_ATTEMPTS_PER_ACCOUNT",
                "5",
                kind::number(1..=100_000),
                "Failed sign-ins per account before delays start. Each further failure lengthens the delay; the count resets after 15 minutes without one.",
            ),
            login_attempts_per_address: reader.setting(
                "LOGIN_ATTEMPTS_PER_ADDRESS",
                "20",
                kind::number(1..=100_000),
                "Maximum sign-in attempts per minute from one address.",
            ),
        };
        auth.validate(reader);
        auth
    }

    fn validate(&self, reader: &mut Reader) {
        if self.jwks_url.is_some() && self.jwks_file.is_some() {
            reader.report_error(
                "AUTH_JWKS_FILE",
                "cannot be combined with AUTH_JWKS_URL: set only one of them",
            );
        }
        let accepts_platform_tokens =
            self.jwks_url.is_some() || self.jwks_file.is_some() || self.hs256_secret.is_some();
        if accepts_platform_tokens {
            for (name, value) in [("AUTH_ISSUER", &self.issuer), ("AUTH_AUDIENCE", &self.audience)] {
                if value.is_none() {
                    reader.report_error(
                        name,
                        "is required if platform tokens are accepted (AUTH_JWKS_URL, AUTH_JWKS_FILE or AUTH_HS256_SECRET)",
                    );
                }
            }
        }
    }
}
