//! Removes secrets from the responses of services, which may repeat what was sent.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret, SecretString};

/// Maximum length of a redacted text, in characters.
const MAX_TEXT_CHARS: usize = 300;

/// Secrets in every form in which they are sent, the longest first, since one may contain another.
#[derive(Debug, Default)]
pub struct Secrets(Vec<SecretString>);

impl Secrets {
    /// Secrets that are sent as they are or in a URL.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let plain = secrets.into_iter().map(ExposeSecret::expose_secret);
        let forms = plain.flat_map(|plain| {
            [plain.to_owned(), form_urlencoded::byte_serialize(plain.as_bytes()).collect()]
        });
        Self::longest_first(forms.map(SecretString::from).collect())
    }

    /// Adds a username and password as they are sent for Basic authentication (RFC 7617, section 2).
    pub fn with_credentials(self, username: &str, password: &str) -> Self {
        let Self(mut forms) = self;
        forms.push(SecretString::from(BASE64_STANDARD.encode(format!("{username}:{password}"))));
        Self::longest_first(forms)
    }

    fn longest_first(mut forms: Vec<SecretString>) -> Self {
        forms.retain(|form| !form.expose_secret().is_empty());
        forms.sort_by_key(|form| std::cmp::Reverse(form.expose_secret().len()));
        Self(forms)
    }

    /// Replaces the secrets in a text, puts it on one line and truncates it. `None` if nothing remains.
    pub fn redact(&self, text: &str) -> Option<String> {
        let mut redacted = text.to_owned();
        for secret in &self.0 {
            redacted = redacted.replace(secret.expose_secret(), "***");
        }
        let redacted = redacted.split_whitespace().collect::<Vec<_>>().join(" ");
        let redacted: String =
            redacted.chars().filter(|char| !char.is_control()).take(MAX_TEXT_CHARS).collect();
        (!redacted.is_empty()).then_some(redacted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_redacted() {
        let secrets = Secrets::new(&[SecretString::from("s3cret")]);
        assert_eq!(
            secrets.redact("no such\n api_secret: s3cret, s3cret").as_deref(),
            Some("no such api_secret: ***, ***")
        );
        assert_eq!(secrets.redact(" \n"), None);
        let longer = Secrets::new(&[SecretString::from("key"), SecretString::from("key/2")])
            .with_credentials("key/2", "");
        assert_eq!(longer.redact("key key/2 key%2F2 a2V5LzI6").as_deref(), Some("*** *** *** ***"));
        assert_eq!(secrets.redact(&"ñ".repeat(1000)).unwrap().chars().count(), MAX_TEXT_CHARS);
    }
}
