//! Opaque tokens: random secrets of which the database stores only the SHA-256 digest.
//!
//! A plain digest without salt or stretching is enough, since each secret has at least 190 random bits.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::CryptoRng;
use rand::distr::{Alphanumeric, SampleString};
use secrecy::SecretString;
use sha2::{Digest, Sha256};

/// Every API token starts with this, so that people and secret scanners recognize it.
pub const API_TOKEN_PREFIX: &str = "dph_";

/// Random characters after the prefix.
const RANDOM_CHARACTERS: usize = 40;
/// Hexadecimal digits of the checksum at the end, which detects a mistyped token without a query.
const CHECKSUM_DIGITS: usize = 6;
/// Characters of an API token that lists show, so that its owner can recognize it.
const VISIBLE_CHARACTERS: usize = API_TOKEN_PREFIX.len() + 6;

/// A new refresh token.
pub fn new_refresh_token(rng: &mut impl CryptoRng) -> SecretString {
    let mut bytes = [0; 32];
    rng.fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes).into()
}

/// A new API token, and the part at its beginning that lists may show.
pub fn new_api_token(rng: &mut impl CryptoRng) -> (SecretString, String) {
    let body = format!("{API_TOKEN_PREFIX}{}", Alphanumeric.sample_string(rng, RANDOM_CHARACTERS));
    let visible = body[..VISIBLE_CHARACTERS].to_owned();
    (format!("{body}{}", checksum(&body)).into(), visible)
}

/// Whether this has the format of an API token and a correct checksum.
pub fn looks_like_api_token(token: &str) -> bool {
    token.len() == API_TOKEN_PREFIX.len() + RANDOM_CHARACTERS + CHECKSUM_DIGITS
        && token.starts_with(API_TOKEN_PREFIX)
        && token
            .split_at_checked(token.len() - CHECKSUM_DIGITS)
            .is_some_and(|(body, digits)| checksum(body) == digits)
}

/// The digest that the database stores instead of the secret.
pub fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

fn checksum(body: &str) -> String {
    hex::encode(&digest(body)[..CHECKSUM_DIGITS / 2])
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn an_api_token_is_recognized_by_prefix_length_and_checksum() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (token, visible) = new_api_token(&mut rng);
        let token = token.expose_secret();
        assert!(token.starts_with(&visible) && visible.starts_with("dph_"), "{visible}");
        assert!(looks_like_api_token(token));
        let mistyped = token.replacen(&token[20..21], if &token[20..21] == "x" { "y" } else { "x" }, 1);
        for other in [&mistyped, &token[1..], &token[..token.len() - 1], "dph_", "", &"ñ".repeat(25)] {
            assert!(!looks_like_api_token(other), "{other}");
        }
    }

    #[test]
    fn no_two_refresh_tokens_are_equal() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let [first, second] = [(); 2].map(|()| new_refresh_token(&mut rng));
        assert_ne!(first.expose_secret(), second.expose_secret());
        assert_eq!(first.expose_secret().len(), 43);
    }
}
