//! A mail that the server received.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A mail that the server received.
#[derive(Clone, Debug, Default)]
pub struct ReceivedMail {
    /// The credentials of AUTH PLAIN, in base64.
    pub credentials: Option<String>,
    /// The sender's address.
    pub from: String,
    /// The recipients' addresses.
    pub to: Vec<String>,
    /// Headers and body.
    pub content: Vec<u8>,
}

impl ReceivedMail {
    /// The decoded subject. Empty if the mail has none. Words in unsupported encodings stay encoded.
    pub fn subject(&self) -> String {
        let content = String::from_utf8_lossy(&self.content);
        let headers = content.split("\r\n\r\n").next().unwrap_or_default();
        // A line that starts with whitespace continues the previous one (RFC 5322).
        let unfolded = headers.replace("\r\n ", " ").replace("\r\n\t", " ");
        let subject = unfolded.lines().find_map(|line| line.strip_prefix("Subject:")).unwrap_or_default();
        let mut text = String::new();
        let mut was_encoded = false;
        for word in subject.split_whitespace() {
            let decoded = decode(word);
            // Whitespace between two encoded words is not part of the text (RFC 2047).
            if !(text.is_empty() || was_encoded && decoded.is_some()) {
                text.push(' ');
            }
            was_encoded = decoded.is_some();
            text.push_str(decoded.as_deref().unwrap_or(word));
        }
        text
    }
}

/// The text of a word that is encoded as `=?utf-8?b?…?=`. `None` for any other word.
fn decode(word: &str) -> Option<String> {
    let inner = word.strip_prefix("=?")?.strip_suffix("?=")?;
    let (charset, rest) = inner.split_once('?')?;
    let (encoding, text) = rest.split_once('?')?;
    if !(charset.eq_ignore_ascii_case("utf-8") && encoding.eq_ignore_ascii_case("b")) {
        return None;
    }
    String::from_utf8(STANDARD.decode(text).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_encoded_and_folded_subjects_are_decoded() {
        let subject = |line: &str| {
            let content = format!("To: <a@example.org>\r\n{line}\r\n\r\nSubject: not this").into_bytes();
            ReceivedMail { content, ..ReceivedMail::default() }.subject()
        };
        assert_eq!(subject("Subject: Events wait"), "Events wait");
        assert_eq!(subject("Subject: =?utf-8?b?wqFF?=\r\n =?utf-8?b?cyBob3JhIQ==?= now"), "¡Es hora! now");
        assert_eq!(subject("Subject: =?latin1?q?=E9?="), "=?latin1?q?=E9?=");
        assert_eq!(subject("Date: today"), "");
    }
}
