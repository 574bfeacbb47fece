//! Files that are embedded in the binary at build time.

use std::ops::RangeInclusive;

use axum::http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, IF_RANGE, RANGE, VARY,
};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};

use super::byte_range::{self, Unsatisfiable};

/// An embedded file.
pub struct File {
    /// The file name; its extension determines the media type.
    pub name: &'static str,
    /// A strong validator, with quotes.
    pub etag: &'static str,
    pub bytes: &'static [u8],
    /// The content compressed with Brotli; `None` for file formats that are already compressed.
    pub brotli: Option<&'static [u8]>,
}

impl File {
    /// The response to a GET request: 304 if the browser has the current version, compressed if the browser
    /// accepts Brotli. Byte ranges are supported for files without a compressed form.
    pub fn respond(&self, headers: &HeaderMap, cache: &'static str) -> Response {
        let common = [(ETAG, self.etag), (CACHE_CONTROL, cache), (VARY, "accept-encoding")];
        let is_in = |name| header_list(headers, name).any(|etag| etag.trim_start_matches("W/") == self.etag);
        if is_in(IF_NONE_MATCH) {
            return (StatusCode::NOT_MODIFIED, common).into_response();
        }
        let content_type = [(CONTENT_TYPE, media_type(self.name))];
        let Some(brotli) = self.brotli else {
            // A range of the current version does not fit the ranges of an older version.
            let is_same = !headers.contains_key(IF_RANGE) || is_in(IF_RANGE);
            return (
                common,
                content_type,
                self.range_response(header_text(headers, RANGE).filter(|_| is_same)),
            )
                .into_response();
        };
        if header_list(headers, ACCEPT_ENCODING).any(|coding| coding == "br") {
            (common, content_type, [(CONTENT_ENCODING, "br")], brotli).into_response()
        } else {
            (common, content_type, self.bytes).into_response()
        }
    }

    fn range_response(&self, range: Option<&str>) -> Response {
        let accept_ranges = [(ACCEPT_RANGES, "bytes")];
        let length = self.bytes.len();
        match range.map(|range| byte_range::parse(range, length)) {
            None | Some(Ok(None)) => (accept_ranges, self.bytes).into_response(),
            Some(Ok(Some(range))) => {
                let (first, last) = (*range.start(), *range.end());
                let content_range = [(CONTENT_RANGE, format!("bytes {first}-{last}/{length}"))];
                (StatusCode::PARTIAL_CONTENT, accept_ranges, content_range, self.slice(range)).into_response()
            }
            Some(Err(Unsatisfiable)) => {
                let content_range = [(CONTENT_RANGE, format!("bytes */{length}"))];
                (StatusCode::RANGE_NOT_SATISFIABLE, accept_ranges, content_range).into_response()
            }
        }
    }

    fn slice(&self, range: RangeInclusive<usize>) -> &'static [u8] {
        self.bytes.get(range).unwrap_or_default()
    }
}

fn header_list(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    header_text(headers, name).unwrap_or_default().split(',').map(str::trim)
}

fn header_text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webm" => "video/webm",
        "mp4" => "video/mp4",
        "json" => "application/json",
        _ => "application/octet-stream",
    }
}
