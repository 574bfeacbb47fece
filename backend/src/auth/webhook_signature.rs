//! The signatures of the learning platform's webhooks: HMAC-SHA256 of the time and the body, with a shared secret.
//!
//! The signed text is the Unix time in seconds as decimal text, a full stop, and the raw body. The time limits how long a
//! recorded request can be repeated.

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

/// A request is refused if its time differs by more from the hub's clock.
pub const MAX_AGE: TimeDelta = TimeDelta::minutes(5);

/// The prefix of a signature.
const VERSION: &str = "v1=";

/// Why a signature is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidSignature {
    /// The time or the signature is missing, or not in its format.
    Malformed,
    /// The time differs too much from the hub's clock.
    Expired,
    /// No secret made the signature for this time and body.
    Wrong,
}

/// The time and the signatures of a request whose body has not been read yet.
#[derive(Debug)]
pub struct WebhookSignature {
    /// As it was sent, since it is part of the signed text.
    timestamp: String,
    /// While its secret is rotated, a platform may sign with both.
    signatures: Vec<[u8; 32]>,
}

impl WebhookSignature {
    /// Parses the time, in Unix seconds, and the comma-separated signatures, each `v1=` and 64 hexadecimal digits.
    pub fn parse(timestamp: &str, signatures: &str, now: DateTime<Utc>) -> Result<Self, InvalidSignature> {
        let seconds: i64 = timestamp.parse().map_err(|_| InvalidSignature::Malformed)?;
        let time = DateTime::from_timestamp(seconds, 0).ok_or(InvalidSignature::Malformed)?;
        if (now - time).abs() > MAX_AGE {
            return Err(InvalidSignature::Expired);
        }
        let signatures: Option<Vec<_>> = signatures.split(',').map(|text| decode(text.trim())).collect();
        let signatures = signatures.ok_or(InvalidSignature::Malformed)?;
        Ok(Self { timestamp: timestamp.to_owned(), signatures })
    }

    /// Checks whether one of the secrets signed this body. Compares in constant time.
    pub fn verify(&self, secrets: &[SecretString], body: &[u8]) -> Result<(), InvalidSignature> {
        let is_valid = |secret: &SecretString| {
            let mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
                .expect("HMAC accepts keys of any length")
                .chain_update(&self.timestamp)
                .chain_update(b".")
                .chain_update(body);
            self.signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())
        };
        if secrets.iter().any(is_valid) { Ok(()) } else { Err(InvalidSignature::Wrong) }
    }
}

fn decode(signature: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(signature.strip_prefix(VERSION)?, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From `printf '1763286600.{"events":[]}' | openssl dgst -sha256 -hmac $SECRET`.
    const SIGNED_AT: i64 = 1_763_286_600;
    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    const BODY: &[u8] = br#"{"events":[]}"#;
    const SIGNATURE: &str = "v1=0c52b0e96b99bcf0e436a50ed9ce9707765cbd30cde871cfa9fc4670e6c91007";

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(SIGNED_AT + seconds, 0).unwrap()
    }

    fn verify(secrets: &[&str], signatures: &str, body: &[u8]) -> Result<(), InvalidSignature> {
        let secrets: Vec<SecretString> = secrets.iter().map(|secret| (*secret).into()).collect();
        WebhookSignature::parse(&SIGNED_AT.to_string(), signatures, at(0))?.verify(&secrets, body)
    }

    #[test]
    fn only_the_signed_body_is_accepted() {
        assert_eq!(verify(&[SECRET], SIGNATURE, BODY), Ok(()));
        assert_eq!(verify(&[SECRET], SIGNATURE, b"{}"), Err(InvalidSignature::Wrong));
        assert_eq!(verify(&["another"], SIGNATURE, BODY), Err(InvalidSignature::Wrong));
        assert_eq!(verify(&[], SIGNATURE, BODY), Err(InvalidSignature::Wrong));
    }

    #[test]
    fn each_secret_and_each_signature_counts_while_the_secret_is_rotated() {
        assert_eq!(verify(&["new", SECRET], SIGNATURE, BODY), Ok(()));
        let both = format!("v1={}, {SIGNATURE}", "0".repeat(64));
        assert_eq!(verify(&[SECRET], &both, BODY), Ok(()));
    }

    #[test]
    fn the_time_limits_repetition() {
        let parse =
            |seconds| WebhookSignature::parse(&SIGNED_AT.to_string(), SIGNATURE, at(seconds)).map(drop);
        assert_eq!((parse(300), parse(-300)), (Ok(()), Ok(())));
        assert_eq!(
            (parse(301), parse(-301)),
            (Err(InvalidSignature::Expired), Err(InvalidSignature::Expired))
        );
        let other_time = WebhookSignature::parse(&(SIGNED_AT + 1).to_string(), SIGNATURE, at(0)).unwrap();
        assert_eq!(other_time.verify(&[SECRET.into()], BODY), Err(InvalidSignature::Wrong));
    }

    #[test]
    fn malformed_headers_are_refused() {
        let time = SIGNED_AT.to_string();
        for (timestamp, signatures) in [
            ("", SIGNATURE),
            ("yesterday", SIGNATURE),
            ("99999999999999999", SIGNATURE),
            (&time, ""),
            (&time, &SIGNATURE[3..]),
            (&time, &SIGNATURE[..66]),
            (&time, "v1=zz"),
        ] {
            let parsed = WebhookSignature::parse(timestamp, signatures, at(0));
            assert_eq!(parsed.map(drop), Err(InvalidSignature::Malformed), "{timestamp} {signatures}");
        }
    }
}
