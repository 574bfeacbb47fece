//! Keeps secrets out of what services say: an answer may repeat what was sent.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret, SecretString};

/// The longest text of a service that is kept, in characters.
const LONGEST: usize = 300;

/// What must never be written down, in every form in which it is sent; the longest first, since one may hold another.
#[derive(Debug, Default)]
pub struct Secrets(Vec<SecretString>);

impl Secrets {
    /// These must never be written down, neither as they are nor as they stand in an address.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let plain = secrets.into_iter().map(ExposeSecret::expose_secret);
        let forms = plain.flat_map(|plain| {
            [plain.to_owned(), form_urlencoded::byte_serialize(plain.as_bytes()).collect()]
        });
        Self::longest_first(forms.map(SecretString::from).collect())
    }

    /// Nor may what this name and password are sent as (RFC 7617, section 2).
    pub fn and_login(self, name: &str, password: &str) -> Self {
        let Self(mut forms) = self;
        forms.push(SecretString::from(BASE64_STANDARD.encode(format!("{name}:{password}"))));
        Self::longest_first(forms)
    }

    fn longest_first(mut forms: Vec<SecretString>) -> Self {
        forms.retain(|form| !form.expose_secret().is_empty());
        forms.sort_by_key(|form| std::cmp::Reverse(form.expose_secret().len()));
        Self(forms)
    }

    /// What a service said, on one line, without the secrets, and not too long; nothing when it said nothing.
    pub fn redact(&self, said: &str) -> Option<String> {
        let mut told = said.to_owned();
        for secret in &self.0 {
            told = told.replace(secret.expose_secret(), "***");
        }
        let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
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
        let longer =
            Secrets::new(&[SecretString::from("key"), SecretString::from("key/2")]).and_login("key/2", "");
        assert_eq!(longer.redact("key key/2 key%2F2 a2V5LzI6").as_deref(), Some("*** *** *** ***"));
        assert_eq!(secrets.redact(&"ñ".repeat(1000)).unwrap().chars().count(), LONGEST);
    }
}
