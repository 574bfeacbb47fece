//! Keeps secrets out of what services say: an answer may repeat what was sent.

use secrecy::{ExposeSecret as _, SecretString};

/// The longest text of a service that is kept, in characters.
const LONGEST: usize = 300;

/// What must never be written down.
#[derive(Debug, Default)]
pub struct Secrets(Vec<SecretString>);

impl Secrets {
    /// These must never be written down.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        Self(secrets.into_iter().filter(|secret| !secret.expose_secret().is_empty()).cloned().collect())
    }

    /// What a service said, on one line, without the secrets, and not too long; nothing when it said nothing.
    pub fn redact(&self, said: &str) -> Option<String> {
        let mut told = said.split_whitespace().collect::<Vec<_>>().join(" ");
        for secret in &self.0 {
            told = told.replace(secret.expose_secret(), "***");
        }
        let told: String = told.chars().filter(|char| !char.is_control()).take(LONGEST).collect();
        (!told.is_empty()).then_some(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_service_repeats_is_told_without_the_secret() {
        let secrets = Secrets::new(&[SecretString::from("s3cret")]);
        assert_eq!(
            secrets.redact("no such\n api_secret: s3cret, s3cret").as_deref(),
            Some("no such api_secret: ***, ***")
        );
        assert_eq!(secrets.redact(" \n"), None);
        assert_eq!(secrets.redact(&"ñ".repeat(1000)).unwrap().chars().count(), LONGEST);
    }
}
