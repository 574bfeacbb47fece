//! Secrets that mean nothing by themselves: the caller keeps the text, the database only its SHA-256.
//!
//! A plain digest is enough, since no secret here has less than 190 random bits: there is nothing to guess.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::CryptoRng;
use rand::distr::{Alphanumeric, SampleString};
use secrecy::SecretString;
use sha2::{Digest, Sha256};

/// Every API token starts with this, so that people and secret scanners know one when they see it.
pub const API_TOKEN_PREFIX: &str = "dph_";

/// Random characters behind the prefix.
const API_TOKEN_CHARACTERS: usize = 40;
/// Hexadecimal digits at the end that tell a mistyped token from an unknown one without asking the database.
const CHECK_DIGITS: usize = 6;
/// How much of an API token is shown in lists, so that its owner knows it again.
const SHOWN_CHARACTERS: usize = API_TOKEN_PREFIX.len() + 6;

/// A new refresh token.
pub fn new_refresh_token(rng: &mut impl CryptoRng) -> SecretString {
    let mut bytes = [0; 32];
    rng.fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes).into()
}

/// A new API token, and the beginning of it that may be shown.
pub fn new_api_token(rng: &mut impl CryptoRng) -> (SecretString, String) {
    let body = format!("{API_TOKEN_PREFIX}{}", Alphanumeric.sample_string(rng, API_TOKEN_CHARACTERS));
    let shown = body[..SHOWN_CHARACTERS].to_owned();
    (format!("{body}{}", check_digits(&body)).into(), shown)
}

/// Whether this could be an API token, typed without a slip.
pub fn looks_like_api_token(token: &str) -> bool {
    token.len() == API_TOKEN_PREFIX.len() + API_TOKEN_CHARACTERS + CHECK_DIGITS
        && token.starts_with(API_TOKEN_PREFIX)
        && token
            .split_at_checked(token.len() - CHECK_DIGITS)
            .is_some_and(|(body, digits)| check_digits(body) == digits)
}

/// What is stored of a secret.
pub fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

fn check_digits(body: &str) -> String {
    hex::encode(&digest(body)[..CHECK_DIGITS / 2])
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn an_api_token_is_known_by_its_look() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (token, shown) = new_api_token(&mut rng);
        let token = token.expose_secret();
        assert!(token.starts_with(&shown) && shown.starts_with("dph_"), "{shown}");
        assert!(looks_like_api_token(token));
        let slip = token.replacen(&token[20..21], if &token[20..21] == "x" { "y" } else { "x" }, 1);
        for other in [&slip, &token[1..], &token[..token.len() - 1], "dph_", "", &"ñ".repeat(25)] {
            assert!(!looks_like_api_token(other), "{other}");
        }
    }

    #[test]
    fn no_two_secrets_are_alike() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let [first, second] = [(); 2].map(|()| new_refresh_token(&mut rng));
        assert_ne!(first.expose_secret(), second.expose_secret());
        assert_eq!(first.expose_secret().len(), 43);
    }
}
