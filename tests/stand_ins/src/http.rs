//! HTTP/1.1 by hand, because the faults need each byte of it: requests as they come, answers as they go.

use std::borrow::Cow;
use std::io::{self, Read};

use flate2::read::MultiGzDecoder;

pub(crate) mod reader;

/// The greatest body that is unpacked.
const UNPACKED_LIMIT: u64 = 64 << 20;

/// What stands before a body.
#[derive(Debug, Clone, Default)]
pub(crate) struct Head {
    pub method: String,
    pub path: String,
    /// As it came, without the question mark.
    pub query: String,
    /// The names in small letters.
    pub headers: Vec<(String, String)>,
}

impl Head {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether the header's value begins with this, whatever the size of its letters.
    pub(crate) fn header_begins(&self, name: &str, with: &str) -> bool {
        self.header(name).is_some_and(|value| {
            value.trim().get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with))
        })
    }

    pub(crate) fn query_pairs(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.query.as_bytes()).into_owned().collect()
    }

    /// The last value of a key in the query.
    pub(crate) fn query_value(&self, key: &str) -> Option<String> {
        form_urlencoded::parse(self.query.as_bytes())
            .filter(|(name, _)| name == key)
            .last()
            .map(|(_, value)| value.into_owned())
    }

    /// Whether the query switches this on.
    pub(crate) fn switched_on(&self, key: &str) -> bool {
        self.query_value(key).is_some_and(|value| value == "1" || value == "true")
    }
}

/// A whole request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub head: Head,
    /// As it came.
    pub body: Vec<u8>,
}

impl Request {
    /// The body without its gzip; `None` where it claims one and has none.
    pub(crate) fn content(&self) -> Option<Cow<'_, [u8]>> {
        if !self.head.header_begins("content-encoding", "gzip") {
            return Some(Cow::Borrowed(&self.body));
        }
        let mut content = Vec::new();
        let mut unpack = MultiGzDecoder::new(self.body.as_slice()).take(UNPACKED_LIMIT);
        unpack.read_to_end(&mut content).ok().map(|_| Cow::Owned(content))
    }
}

/// An answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    pub(crate) fn json(status: u16, value: &impl serde::Serialize) -> Self {
        let body = serde_json::to_vec(value).expect("what we answer has text for keys");
        Self::of(status, "application/json", body)
    }

    pub(crate) fn of(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
        Self { status, headers, body: body.into() }
    }

    /// The bytes before the body; the length may be a lie.
    pub(crate) fn head(&self, length: usize) -> Vec<u8> {
        use io::Write;
        let mut head = Vec::with_capacity(128 + self.body.len());
        let written = write!(head, "HTTP/1.1 {} {}\r\n", self.status, phrase(self.status))
            .and_then(|()| {
                self.headers.iter().try_for_each(|(name, value)| write!(head, "{name}: {value}\r\n"))
            })
            .and_then(|()| write!(head, "Content-Length: {length}\r\n\r\n"));
        written.expect("memory takes every write");
        head
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.head(self.body.len());
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// The words beside a status.
pub(crate) const fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        301 => "Moved Permanently",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Request Entity Too Large",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Unnamed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_written_with_its_length() {
        let answer = Response::of(200, "text/plain", "1");
        let text = String::from_utf8(answer.bytes()).unwrap();
        assert_eq!(text, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\n1");
    }

    #[test]
    fn a_body_that_only_claims_to_be_gzip_has_no_content() {
        let mut request = Request { body: b"[]".to_vec(), ..Request::default() };
        assert_eq!(request.content().as_deref(), Some(b"[]".as_slice()));
        request.head.headers.push(("content-encoding".to_owned(), "gzip".to_owned()));
        assert_eq!(request.content(), None);
    }
}
