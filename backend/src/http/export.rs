//! `POST /admin/data-porter/export-links` creates a signed link. `GET /admin/data-porter/export` streams the
//! file.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use chrono::{DateTime, Utc};
use domain::filter::parse_id;
use domain::text::Text;
use domain::{ExportFormat, Grant};
use serde::Serialize;
use serde_json::{Map, Value};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate as _};

use super::attachment;
use super::caller::Caller;
use super::link_request::{self, expiry, forbidden, head_body, id_text, no_longer_allowed, parse_body};
use super::problem::Problem;
use crate::app::App;
use crate::auth::{grant, identity};
use crate::error::{Error, Result};
use crate::export::Export;
use crate::export::any_source;
use crate::export::json_request::json_parameters;
use crate::export::link::{self, Link};
use crate::export::request::{Defaults, ExportRequest};
use crate::export::saved;

/// The two routes.
pub fn routes() -> Router<App> {
    // Compression happens while the file is generated, so the fastest level gives the best throughput.
    // Workbooks and Parquet files are compressed already.
    let is_compressible = DefaultPredicate::new()
        .and(NotForContentType::const_new(ExportFormat::Xlsx.media_type()))
        .and(NotForContentType::const_new(ExportFormat::Parquet.media_type()));
    let compression =
        CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(is_compressible);
    Router::new()
        .route("/admin/data-porter/export-links", post(create_link).layer(link_request::limit()))
        .route(link::PATH, get(download).layer(compression))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CreatedLink {
    url: String,
    expires_at: DateTime<Utc>,
    filename: String,
    estimated_rows: i64,
}

async fn create_link(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = body.map_err(|_| link_request::not_received(&caller))?;
    let link = try_create_link(&app, &caller, &headers, &body).await;
    Ok(link_request::created(link.map_err(|error| caller.problem(&error))?))
}

async fn try_create_link(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<CreatedLink> {
    let identity = caller.identity.as_ref().ok_or(Error::Unauthenticated)?;
    let body = parse_body(headers, body)?;
    let mut conn = app.pool.get().await?;
    let (saved, parameters) = match saved_export(&body)? {
        Some(id) => {
            let (saved, parameters) = saved::find(&mut conn, &identity.viewer, id).await?;
            (Some(saved), parameters)
        }
        None => (None, json_parameters(body)?),
    };
    let defaults = Defaults::for_user(app, &identity.user, caller.locale);
    let request = ExportRequest::parse(&parameters, defaults)?;
    let filter = request.filter.clone();
    let grant = grant::to_export(&mut conn, &identity.viewer, request.dataset, filter).await?;
    let estimate =
        any_source::of(request.dataset).estimate(&mut conn, &grant, app.config.hub.timezone).await?;
    if let Some(saved) = saved {
        saved.record_use(&mut conn, app.clock.now()).await?;
    }
    let expires_at = expiry(app.clock.now());
    let link = Link { user_id: identity.user.id, token_id: identity.token_id, request, expires_at };
    Ok(CreatedLink {
        url: link.sign(&app.auth.keys),
        expires_at: link.expires_at,
        filename: link.filename(),
        estimated_rows: estimate.rows,
    })
}

/// The id of the saved export that a link is requested for.
fn saved_export(body: &Map<String, Value>) -> Result<Option<i64>> {
    let Some(id) = body.get("savedExport") else { return Ok(None) };
    match parse_id(&id_text(id)) {
        Ok(id) if body.len() == 1 => Ok(Some(id)),
        Ok(_) | Err(_) => Err(Error::invalid("savedExport", ACCEPTED_SAVED_EXPORT)),
    }
}

const ACCEPTED_SAVED_EXPORT: Text = Text::new(
    "Se acepta el identificador de una exportación guardada, sin otros campos.",
    "Accepted: the ID of a saved export, without other fields.",
);

async fn download(
    State(app): State<App>,
    method: Method,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let now = app.clock.now();
    let link = Link::verify(&app.auth.keys, query.as_deref().unwrap_or_default(), now)
        .map_err(|error| forbidden(&caller, error.reason()))?;
    let grant = grant(&app, &link, now).await.map_err(|error| caller.problem(&error))?;
    let grant = grant.ok_or_else(|| no_longer_allowed(&caller))?;
    let headers = attachment::headers(link.request.format.media_type(), &link.filename());
    if method == Method::HEAD {
        return Ok((headers, head_body()).into_response());
    }
    let export =
        Export { user_id: Some(link.user_id), address: caller.address, request: link.request, grant };
    let started = export.start(&app).await.map_err(|error| caller.problem(&error))?;
    Ok((headers, Body::from_stream(started.into_stream())).into_response())
}

/// The grant of the link's user; `None` if the link's user or token is no longer valid.
async fn grant(app: &App, link: &Link, now: DateTime<Utc>) -> Result<Option<Grant>> {
    let mut conn = app.pool.get().await?;
    let identity =
        identity::identify_link_owner(&app.auth, &mut conn, link.user_id, link.token_id, now).await?;
    let Some(identity) = identity else { return Ok(None) };
    let request = &link.request;
    grant::to_export(&mut conn, &identity.viewer, request.dataset, request.filter.clone()).await.map(Some)
}
