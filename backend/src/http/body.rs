//! Reads request bodies with a size limit and a timeout.

use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::timeout;

/// How long reading a request body, or the next chunk of an upload, may take.
pub const READ_TIMEOUT: Duration = Duration::from_mins(1);

/// Why a body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// It exceeds the size limit.
    TooLarge,
    /// The connection broke or timed out before the end.
    Incomplete,
}

/// Reads a whole body of at most `limit` bytes.
pub async fn read(body: Body, limit: usize) -> Result<Bytes, BodyError> {
    let body = timeout(READ_TIMEOUT, Limited::new(body, limit).collect()).await;
    let body = body.map_err(|_| BodyError::Incomplete)?.map_err(|error| {
        if error.is::<LengthLimitError>() { BodyError::TooLarge } else { BodyError::Incomplete }
    })?;
    Ok(body.to_bytes())
}
