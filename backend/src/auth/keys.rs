//! The hub's own signing keys, all derived from `APP_KEY`.
//!
//! Each purpose has a separate key, so a signature for one purpose is invalid for another. The first
//! `APP_KEY` signs, and all of them verify. To rotate keys, put the new key first, and remove the old one
//! when everything that it signed has expired.

use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use sha2::Sha256;

/// The minimum length of an `APP_KEY`, in bytes.
pub const MIN_KEY_BYTES: usize = 32;

/// What a signature is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The access tokens of signed-in people.
    Access,
    /// Short-lived tokens that can only record one user's progress.
    Player,
    /// Signed export links.
    Links,
    /// Signed links to the rejected rows of an import.
    RejectedRows,
    /// Signed links to the data of a person.
    PersonalData,
}

/// Why a list of `APP_KEY`s is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The list is empty.
    #[error("at least one key is required")]
    None,
    /// The key at this position, counted from 1, is too short.
    #[error("key {0} is shorter than {MIN_KEY_BYTES} bytes")]
    TooShort(usize),
}

/// The signing keys, newest first.
#[derive(Debug)]
pub struct Keys {
    newest: Key,
    older: Vec<Key>,
}

#[derive(Debug)]
struct Key {
    id: String,
    root: SecretString,
}

impl Keys {
    /// Checks the `APP_KEY`s. The first one signs.
    pub fn new(app_keys: &[SecretString]) -> Result<Self, KeyError> {
        for (index, key) in app_keys.iter().enumerate() {
            if key.expose_secret().len() < MIN_KEY_BYTES {
                return Err(KeyError::TooShort(index + 1));
            }
        }
        let mut keys = app_keys.iter().map(Key::new);
        let newest = keys.next().ok_or(KeyError::None)?;
        Ok(Self { newest, older: keys.collect() })
    }

    /// Signs with the newest key. Returns that key's id, which is not secret, and the signature.
    pub fn sign(&self, purpose: Purpose, message: &[u8]) -> (&str, [u8; 32]) {
        let mac = self.newest.mac(purpose, message);
        (&self.newest.id, mac.finalize().into_bytes().into())
    }

    /// Whether this signature is valid for this key id and purpose, compared in constant time.
    pub fn verify(&self, purpose: Purpose, key_id: &str, message: &[u8], mac: &[u8]) -> bool {
        self.find(key_id).is_some_and(|key| key.mac(purpose, message).verify_slice(mac).is_ok())
    }

    /// The id of the newest key, and its secret for this purpose.
    pub(super) fn signing_key(&self, purpose: Purpose) -> (&str, SecretBox<[u8; 32]>) {
        (&self.newest.id, self.newest.derive(purpose))
    }

    /// The secret of the key with this id for this purpose.
    pub(super) fn verifying_key(&self, purpose: Purpose, key_id: &str) -> Option<SecretBox<[u8; 32]>> {
        self.find(key_id).map(|key| key.derive(purpose))
    }

    fn find(&self, key_id: &str) -> Option<&Key> {
        std::iter::once(&self.newest).chain(&self.older).find(|key| key.id == key_id)
    }
}

impl Key {
    fn new(app_key: &SecretString) -> Self {
        let fingerprint = hmac_sha256(app_key.expose_secret().as_bytes(), b"dataporter-hub key id");
        Self { id: hex::encode(&fingerprint[..8]), root: app_key.clone() }
    }

    fn derive(&self, purpose: Purpose) -> SecretBox<[u8; 32]> {
        let root = self.root.expose_secret().as_bytes();
        SecretBox::new(Box::new(hmac_sha256(root, purpose.label())))
    }

    fn mac(&self, purpose: Purpose, message: &[u8]) -> Hmac<Sha256> {
        hmac_with_key(self.derive(purpose).expose_secret()).chain_update(message)
    }
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Access => b"dataporter-hub access token v1",
            Self::Player => b"dataporter-hub player token v1",
            Self::Links => b"dataporter-hub export link v1",
            Self::RejectedRows => b"dataporter-hub rejected rows link v1",
            Self::PersonalData => b"dataporter-hub personal data link v1",
        }
    }
}

fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    hmac_with_key(key).chain_update(message).finalize().into_bytes().into()
}

fn hmac_with_key(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC accepts keys of any length")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(app_keys: &[&str]) -> Keys {
        let app_keys: Vec<_> = app_keys.iter().map(|key| key.repeat(32).into()).collect();
        Keys::new(&app_keys).unwrap()
    }

    #[test]
    fn a_signature_is_valid_only_for_its_own_message_and_purpose() {
        let keys = keys(&["a"]);
        let (id, mac) = keys.sign(Purpose::Links, b"message");
        assert!(keys.verify(Purpose::Links, id, b"message", &mac));
        assert!(!keys.verify(Purpose::Links, id, b"another", &mac));
        assert!(!keys.verify(Purpose::Access, id, b"message", &mac));
        assert!(!keys.verify(Purpose::Links, id, b"message", &mac[..16]));
        assert!(!keys.verify(Purpose::Links, id, b"message", b""));
        assert!(!keys.verify(Purpose::Links, "../../dev/null", b"message", &mac));
    }

    #[test]
    fn an_older_key_still_verifies_and_a_removed_one_does_not() {
        let before = keys(&["a"]);
        let (id, mac) = before.sign(Purpose::Links, b"message");
        let rotated = keys(&["b", "a"]);
        assert!(rotated.verify(Purpose::Links, id, b"message", &mac));
        assert_ne!(rotated.sign(Purpose::Links, b"message").0, id);
        assert!(!keys(&["b"]).verify(Purpose::Links, id, b"message", &mac));
    }

    #[test]
    fn short_and_missing_keys_are_refused() {
        assert_eq!(Keys::new(&[]).err(), Some(KeyError::None));
        let short = ["a".repeat(32).into(), "a".repeat(31).into()];
        assert_eq!(Keys::new(&short).err(), Some(KeyError::TooShort(2)));
    }

    #[test]
    fn debug_output_contains_no_key() {
        assert!(!format!("{:?}", keys(&["s3cret"])).contains("s3cret"));
    }
}
