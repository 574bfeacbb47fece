//! File uploads with a GraphQL request, by the multipart request specification
//! (<https://github.com/jaydenseric/graphql-multipart-request-spec>).
//!
//! Only callers who may import can upload, which is checked before any data is stored. A request can have one
//! file for one variable, since the schema needs no more.

use std::collections::HashMap;
use std::time::Duration;

use async_graphql::{Request, UploadValue};
use axum::body::Body;
use domain::access::Act;
use multer::{Constraints, Field, Multipart, SizeLimit};
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::parse;
use super::refusal::Refusal;
use crate::app::App;
use crate::error::Error;
use crate::http::body::READ_TIMEOUT;
use crate::http::caller::Caller;

/// Limits the concurrent uploads of a process. Further ones must be retried later.
static UPLOAD_PERMITS: Semaphore = Semaphore::const_new(8);

/// When a client should retry an upload that exceeds the limit.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// The maximum size of `map`, which assigns one file to one variable.
const MAX_MAP_BYTES: usize = 4 << 10;

/// Receives a request with its file, if any.
pub async fn receive(app: &App, caller: &Caller, content_type: &str, body: Body) -> Result<Request, Refusal> {
    caller.viewer()?.may(Act::Import).map_err(Error::from)?;
    let _permit = UPLOAD_PERMITS.try_acquire().map_err(|_| Error::Busy { retry_after: RETRY_AFTER })?;
    let boundary = multer::parse_boundary(content_type).map_err(|_| Refusal::InvalidParts)?;
    let max_file_bytes = usize::try_from(app.config.imports.max_bytes).unwrap_or(usize::MAX);
    let limits = SizeLimit::new()
        .per_field(as_u64(max_file_bytes))
        .for_field("operations", as_u64(app.config.http.max_body_bytes))
        .for_field("map", as_u64(MAX_MAP_BYTES));
    let constraints = Constraints::new().size_limit(limits);
    let mut parts = Multipart::with_constraints(body.into_data_stream(), boundary, constraints);

    let (mut operations, mut map, mut file) = (None, None, None);
    while let Some(part) = with_timeout(parts.next_field()).await?.map_err(|error| refusal(&error))? {
        match part.name() {
            Some("operations") if operations.is_none() => operations = Some(parse(&bytes(part).await?)?),
            Some("map") if map.is_none() => {
                let parsed: HashMap<String, Vec<String>> =
                    serde_json::from_slice(&bytes(part).await?).map_err(|_| Refusal::InvalidParts)?;
                map = Some(parsed);
            }
            Some(name) if file.is_none() && part.file_name().is_some() => {
                file = Some((name.to_owned(), store(part).await?));
            }
            Some(_) | None => return Err(Refusal::InvalidParts),
        }
    }
    let mut request: Request = operations.ok_or(Refusal::InvalidParts)?;
    let mut map = map.ok_or(Refusal::InvalidParts)?;
    if let Some((name, file)) = file {
        match map.remove(&name).as_deref() {
            Some([variable]) => request.set_upload(variable, file),
            Some(_) | None => return Err(Refusal::InvalidParts),
        }
    }
    if map.is_empty() { Ok(request) } else { Err(Refusal::InvalidParts) }
}

/// Writes a file to an unnamed temporary file, which the operating system deletes when it is closed.
async fn store(mut part: Field<'_>) -> Result<UploadValue, Refusal> {
    let content = tokio::task::spawn_blocking(tempfile::tempfile).await.map_err(std::io::Error::other)??;
    let mut file = File::from_std(content);
    while let Some(chunk) = with_timeout(part.chunk()).await?.map_err(|error| refusal(&error))? {
        file.write_all(&chunk).await?;
    }
    file.flush().await?;
    Ok(UploadValue {
        filename: part.file_name().unwrap_or_default().to_owned(),
        content_type: part.content_type().map(ToString::to_string),
        content: file.into_std().await,
    })
}

async fn bytes(part: Field<'_>) -> Result<Vec<u8>, Refusal> {
    Ok(with_timeout(part.bytes()).await?.map_err(|error| refusal(&error))?.into())
}

async fn with_timeout<T>(work: impl Future<Output = T>) -> Result<T, Refusal> {
    timeout(READ_TIMEOUT, work).await.map_err(|_| Refusal::Incomplete)
}

fn refusal(error: &multer::Error) -> Refusal {
    match error {
        multer::Error::FieldSizeExceeded { limit, .. } | multer::Error::StreamSizeExceeded { limit } => {
            Refusal::TooLarge(usize::try_from(*limit).unwrap_or(usize::MAX))
        }
        multer::Error::StreamReadFailed(_)
        | multer::Error::IncompleteStream
        | multer::Error::IncompleteFieldData { .. } => Refusal::Incomplete,
        _ => Refusal::InvalidParts,
    }
}

fn as_u64(bytes: usize) -> u64 {
    bytes.try_into().unwrap_or(u64::MAX)
}
