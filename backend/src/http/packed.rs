//! Files that were packed into the binary when it was built.

use std::ops::RangeInclusive;

use axum::http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, IF_RANGE, RANGE, VARY,
};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};

use super::byte_range::{self, Unsatisfiable};

/// A packed file.
pub struct File {
    /// Its name, whose ending says what it is.
    pub name: &'static str,
    /// Names its content.
    pub etag: &'static str,
    /// Its content.
    pub bytes: &'static [u8],
    /// Its content compressed, where that makes it smaller.
    pub brotli: Option<&'static [u8]>,
}

impl File {
    /// The file as a browser asks for it: nothing where it has it already, compressed where it takes that, and in parts
    /// where there is no compressed form.
    pub fn answer(&self, headers: &HeaderMap, cache: &'static str) -> Response {
        let common = [(ETAG, self.etag), (CACHE_CONTROL, cache), (VARY, "accept-encoding")];
        let names_us = |name| listed(headers, name).any(|etag| etag.trim_start_matches("W/") == self.etag);
        if names_us(IF_NONE_MATCH) {
            return (StatusCode::NOT_MODIFIED, common).into_response();
        }
        let kind = [(CONTENT_TYPE, media_type(self.name))];
        let Some(brotli) = self.brotli else {
            // A part of a file that has changed since would not fit the others.
            let is_same = !headers.contains_key(IF_RANGE) || names_us(IF_RANGE);
            return (common, kind, self.part(text(headers, RANGE).filter(|_| is_same))).into_response();
        };
        if listed(headers, ACCEPT_ENCODING).any(|coding| coding == "br") {
            (common, kind, [(CONTENT_ENCODING, "br")], brotli).into_response()
        } else {
            (common, kind, self.bytes).into_response()
        }
    }

    fn part(&self, range: Option<&str>) -> Response {
        let takes = [(ACCEPT_RANGES, "bytes")];
        let whole = self.bytes.len();
        match range.map(|range| byte_range::read(range, whole)) {
            None | Some(Ok(None)) => (takes, self.bytes).into_response(),
            Some(Ok(Some(range))) => {
                let (first, last) = (*range.start(), *range.end());
                let place = [(CONTENT_RANGE, format!("bytes {first}-{last}/{whole}"))];
                (StatusCode::PARTIAL_CONTENT, takes, place, self.slice(range)).into_response()
            }
            Some(Err(Unsatisfiable)) => {
                let length = [(CONTENT_RANGE, format!("bytes */{whole}"))];
                (StatusCode::RANGE_NOT_SATISFIABLE, takes, length).into_response()
            }
        }
    }

    fn slice(&self, range: RangeInclusive<usize>) -> &'static [u8] {
        self.bytes.get(range).unwrap_or_default()
    }
}

fn listed(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    text(headers, name).unwrap_or_default().split(',').map(str::trim)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
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
