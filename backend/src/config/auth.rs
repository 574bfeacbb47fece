//! Whose tokens are believed.

use std::path::PathBuf;

use reqwest::Url;
use secrecy::SecretString;

use super::kind::{self, Kind};
use super::reader::Reader;
use crate::auth::keys::MIN_KEY_BYTES;

/// Our own keys, and the learning platform's.
#[derive(Debug)]
pub struct Auth {
    /// What our tokens and links are signed with: the first signs, all verify.
    pub app_keys: Vec<SecretString>,
    /// Where the learning platform publishes its public keys.
    pub jwks_url: Option<Url>,
    /// A file with the learning platform's public keys.
    pub jwks_file: Option<PathBuf>,
    /// The secret shared with a learning platform that signs with HS256.
    pub hs256_secret: Option<SecretString>,
    /// The `iss` that a platform token must carry.
    pub issuer: Option<String>,
    /// The `aud` that a platform token must carry.
    pub audience: Option<String>,
    /// Failed sign-ins of one account before it must wait, longer with each failure more.
    pub login_attempts_per_account: u32,
    /// Sign-ins tried from one address in any minute before it must wait.
    pub login_attempts_per_address: u32,
}

impl Auth {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let auth = Self {
            app_keys: reader
                .optional(
                    "APP_KEY",
                    kind::secret_of_at_least(MIN_KEY_BYTES).list(),
                    "Signs tokens and links: the first signs, all verify; with the private database one is made and kept.",
                )
                .unwrap_or_default(),
            jwks_url: reader.optional(
                "AUTH_JWKS_URL",
                kind::secure_address(),
                "Where the learning platform publishes the public keys of its tokens (RS256, ES256, EdDSA).",
            ),
            jwks_file: reader.optional(
                "AUTH_JWKS_FILE",
                Kind::new("the path of a file that exists", |text| Some(PathBuf::from(text)).filter(|path| path.is_file())),
                "A file with those keys, instead of AUTH_JWKS_URL.",
            ),
            hs256_secret: reader.optional(
                "AUTH_HS256_SECRET",
                kind::secret_of_at_least(MIN_KEY_BYTES),
                "The secret shared with a learning platform that signs its tokens with HS256.",
            ),
            issuer: reader.optional("AUTH_ISSUER", kind::text(), "The issuer (iss) that a platform token must name."),
            audience: reader.optional(
                "AUTH_AUDIENCE",
                kind::text(),
                "The audience (aud) that a platform token must name.",
            ),
            login_attempts_per_account: reader.setting(
                "LOGIN_ATTEMPTS_PER_ACCOUNT",
                "5",
                kind::number(1..=100_000),
                "Failed sign-ins of one account, after which it must wait, longer with each one more; forgotten after 15 quiet minutes.",
            ),
            login_attempts_per_address: reader.setting(
                "LOGIN_ATTEMPTS_PER_ADDRESS",
                "20",
                kind::number(1..=100_000),
                "Sign-ins that one address may try in any minute.",
            ),
        };
        auth.check(reader);
        auth
    }

    fn check(&self, reader: &mut Reader) {
        if self.jwks_url.is_some() && self.jwks_file.is_some() {
            reader.refuse("AUTH_JWKS_FILE", "and AUTH_JWKS_URL exclude each other: set one of them");
        }
        let trusts_platform =
            self.jwks_url.is_some() || self.jwks_file.is_some() || self.hs256_secret.is_some();
        if trusts_platform {
            for (name, value) in [("AUTH_ISSUER", &self.issuer), ("AUTH_AUDIENCE", &self.audience)] {
                if value.is_none() {
                    reader.refuse(
                        name,
                        "is needed where platform tokens are accepted (AUTH_JWKS_… or AUTH_HS256_SECRET)",
                    );
                }
            }
        }
    }
}
