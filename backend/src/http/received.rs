//! A request's body, taken in whole: within its size and its sender's patience.

use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::timeout;

/// A sender takes no longer than this for a request, or for the next piece of a file.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incomplete {
    /// It is larger than is taken.
    TooLarge,
    /// It did not come to its end.
    BrokenOff,
}

/// The whole body, of at most so many bytes.
pub async fn whole(body: Body, limit: usize) -> Result<Bytes, Incomplete> {
    let body = timeout(PATIENCE, Limited::new(body, limit).collect()).await;
    let body = body.map_err(|_| Incomplete::BrokenOff)?.map_err(|error| {
        if error.is::<LengthLimitError>() { Incomplete::TooLarge } else { Incomplete::BrokenOff }
    })?;
    Ok(body.to_bytes())
}
