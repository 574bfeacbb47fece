//! The headers of files to download.

use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue};

/// The headers of a file with this media type and name.
pub fn headers(media_type: &'static str, filename: &str) -> [(HeaderName, HeaderValue); 3] {
    let disposition = format!("attachment; filename=\"{filename}\"");
    let disposition = HeaderValue::try_from(disposition).unwrap_or(HeaderValue::from_static("attachment"));
    [
        (CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (CONTENT_DISPOSITION, disposition),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ]
}
