//! HTTP/1.1 requests and responses. Implemented here because faults need control of every byte.

use std::borrow::Cow;
use std::io::{self, Read};

use flate2::read::MultiGzDecoder;

pub(crate) mod reader;

/// Maximum size of a decompressed body, in bytes.
const MAX_DECOMPRESSED_BYTES: u64 = 64 << 20;

/// The head of a request: everything before the body.
#[derive(Debug, Clone, Default)]
pub(crate) struct Head {
    pub method: String,
    pub path: String,
    /// As received, without the question mark.
    pub query: String,
    /// The names are in lower case.
    pub headers: Vec<(String, String)>,
}

impl Head {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether the header's value starts with this prefix, ignoring case.
    pub(crate) fn header_starts_with(&self, name: &str, prefix: &str) -> bool {
        self.header(name).is_some_and(|value| {
            value.trim().get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        })
    }

    pub(crate) fn query_pairs(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.query.as_bytes()).into_owned().collect()
    }

    /// The last value of a query parameter.
    pub(crate) fn query_value(&self, key: &str) -> Option<String> {
        form_urlencoded::parse(self.query.as_bytes())
            .filter(|(name, _)| name == key)
            .last()
            .map(|(_, value)| value.into_owned())
    }

    /// Whether a query parameter is `1` or `true`.
    pub(crate) fn has_flag(&self, key: &str) -> bool {
        self.query_value(key).is_some_and(|value| value == "1" || value == "true")
    }
}

/// A complete request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub head: Head,
    /// As received.
    pub body: Vec<u8>,
}

impl Request {
    /// The decompressed body. `None` if `Content-Encoding` is gzip but the body is not valid gzip.
    pub(crate) fn content(&self) -> Option<Cow<'_, [u8]>> {
        if !self.head.header_starts_with("content-encoding", "gzip") {
            return Some(Cow::Borrowed(&self.body));
        }
        let mut content = Vec::new();
        let mut decoder = MultiGzDecoder::new(self.body.as_slice()).take(MAX_DECOMPRESSED_BYTES);
        decoder.read_to_end(&mut content).ok().map(|_| Cow::Owned(content))
    }
}

/// A response.
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
        let body = serde_json::to_vec(value).expect("all keys of our responses are strings");
        Self::new(status, "application/json", body)
    }

    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
        Self { status, headers, body: body.into() }
    }

    /// The head with this content length, which need not be that of the body.
    pub(crate) fn head(&self, length: usize) -> Vec<u8> {
        use io::Write;
        let mut head = Vec::with_capacity(128 + self.body.len());
        let result = write!(head, "HTTP/1.1 {} {}\r\n", self.status, reason_phrase(self.status))
            .and_then(|()| {
                self.headers.iter().try_for_each(|(name, value)| write!(head, "{name}: {value}\r\n"))
            })
            .and_then(|()| write!(head, "Content-Length: {length}\r\n\r\n"));
        result.expect("writing to a Vec cannot fail");
        head
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.head(self.body.len());
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// The reason phrase of a status.
pub(crate) const fn reason_phrase(status: u16) -> &'static str {
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
    fn a_response_is_written_with_its_length() {
        let response = Response::new(200, "text/plain", "1");
        let text = String::from_utf8(response.bytes()).unwrap();
        assert_eq!(text, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\n1");
    }

    #[test]
    fn an_invalid_gzip_body_has_no_content() {
        let mut request = Request { body: b"[]".to_vec(), ..Request::default() };
        assert_eq!(request.content().as_deref(), Some(b"[]".as_slice()));
        request.head.headers.push(("content-encoding".to_owned(), "gzip".to_owned()));
        assert_eq!(request.content(), None);
    }
}
