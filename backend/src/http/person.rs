//! `POST /admin/data-porter/person-links` creates a signed link to the data of a person.
//! `GET /admin/data-porter/person` streams the archive.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use chrono::{DateTime, Utc};
use domain::access::Act;
use serde::Serialize;

use super::attachment;
use super::caller::Caller;
use super::link_request::{self, expiry, forbidden, head_body, id_text, no_longer_allowed, parse_body};
use super::problem::Problem;
use crate::app::App;
use crate::auth::identity;
use crate::auth::keys::Purpose;
use crate::auth::signed_link::SignedLink;
use crate::error::{Error, Result};
use crate::export::json_request::json_parameters;
use crate::export::link::{BadLink, LIFETIME};
use crate::export::person::{self, PERSON, PersonExport, PersonRequest};
use crate::export::request::Defaults;

/// The two routes.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/admin/data-porter/person-links", post(create_link).layer(link_request::limit()))
        .route(person::PATH, get(download))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CreatedLink {
    url: String,
    expires_at: DateTime<Utc>,
    filename: String,
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
    identity.viewer.may(Act::ManageUsers)?;
    let mut body = parse_body(headers, body)?;
    let person = body.remove(PERSON).map(|id| id_text(&id));
    let mut parameters = json_parameters(body)?;
    parameters.extend(person.map(|id| (PERSON.to_owned(), id)));
    let defaults = Defaults::for_user(app, &identity.user, caller.locale);
    let request = PersonRequest::parse(parameters, defaults)?;
    request.find_person(&mut *app.pool.get().await?).await?;
    let link = SignedLink {
        user_id: identity.user.id,
        token_id: identity.token_id,
        parameters: request.parameters(),
        expires_at: expiry(app.clock.now()),
    };
    Ok(CreatedLink {
        url: link.sign(&app.auth.keys, Purpose::PersonalData, person::PATH),
        expires_at: link.expires_at,
        filename: request.filename(link.expires_at - LIFETIME),
    })
}

async fn download(
    State(app): State<App>,
    method: Method,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let (now, query) = (app.clock.now(), query.unwrap_or_default());
    let link = SignedLink::verify(&app.auth.keys, Purpose::PersonalData, &query, now)
        .map_err(|error| forbidden(&caller, error.reason()))?;
    let (owner, token, expires_at) = (link.user_id, link.token_id, link.expires_at);
    let request = PersonRequest::parse(link.parameters, Defaults::of_link(now))
        .map_err(|_| forbidden(&caller, BadLink::Altered.reason()))?;
    let owner = async {
        let mut conn = app.pool.get().await?;
        identity::identify_link_owner(&app.auth, &mut conn, owner, token, now).await
    };
    let owner = owner.await.map_err(|error| caller.problem(&error))?;
    let owner = owner.ok_or_else(|| no_longer_allowed(&caller))?;
    let headers = attachment::headers(person::MEDIA_TYPE, &request.filename(expires_at - LIFETIME));
    let export =
        PersonExport::new(&owner.viewer, caller.address, request).map_err(|error| caller.problem(&error))?;
    if method == Method::HEAD {
        return Ok((headers, head_body()).into_response());
    }
    let archive = export.start(&app).await.map_err(|error| caller.problem(&error))?;
    Ok((headers, Body::from_stream(archive.into_stream())).into_response())
}
