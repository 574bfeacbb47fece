//! `POST /graphql`, and `GET /graphql` for queries.
//!
//! A request that a foreign page could send without asking first is refused: a POST must be JSON, or multipart with a
//! header that no form can set, and a GET cannot change anything.

use std::panic::AssertUnwindSafe;

use async_graphql::Request;
use async_graphql::http::GraphiQLSource;
use async_graphql::parser::types::OperationType;
use async_graphql_axum::GraphQLResponse;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response as HttpResponse};
use axum::routing::{MethodRouter, get};
use domain::access::Act;
use futures_util::FutureExt as _;
use serde::Deserialize;

use self::refusal::Refusal;
use super::caller::Caller;
use super::received::{self, Incomplete};
use crate::app::App;
use crate::graphql::answer::{self, Asked, Suggestions};
use crate::graphql::limits;

mod live;
mod refusal;
mod sse;
mod upload;
mod websocket;

pub use sse::route as stream;
pub use websocket::route as websocket;

/// The largest JSON request of a caller who may mirror: a thousand rows with their texts.
const MAX_MIRROR_BYTES: usize = 16 << 20;

/// The route.
pub fn route() -> MethodRouter<App> {
    get(query).post(execute)
}

/// What a GET says in its address.
#[derive(Deserialize)]
struct Address {
    query: Option<String>,
    variables: Option<String>,
    #[serde(rename = "operationName")]
    operation_name: Option<String>,
}

async fn execute(State(app): State<App>, caller: Caller, headers: HeaderMap, body: Body) -> HttpResponse {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let received = match content_type.split(';').next().unwrap_or_default().trim() {
        kind if kind.eq_ignore_ascii_case("application/json") => read_json(&app, &caller, body).await,
        kind if kind.eq_ignore_ascii_case("multipart/form-data") => {
            if has_preflight_header(&headers) {
                upload::receive(&app, &caller, content_type, body).await
            } else {
                Err(Refusal::NeedsPreflight)
            }
        }
        _ => Err(Refusal::WrongContentType),
    };
    match received {
        Ok(request) => run(&app, caller, request).await,
        Err(refusal) => refusal.problem(&caller).into_response(),
    }
}

async fn query(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    address: Result<Query<Address>, QueryRejection>,
) -> HttpResponse {
    let Ok(Query(Address { query: Some(query), variables, operation_name })) = address else {
        return if app.config.graphql.graphiql && accepts_html(&headers) {
            explorer()
        } else {
            Refusal::NeedsQuery.problem(&caller).into_response()
        };
    };
    let mut request = Request::new(query);
    request.operation_name = operation_name;
    if let Some(variables) = variables {
        match serde_json::from_str(&variables) {
            Ok(variables) => request = request.variables(variables),
            Err(_) => return Refusal::NeedsQuery.problem(&caller).into_response(),
        }
    }
    let reads_only = match limits::parse(&mut request, caller.auth_state()) {
        Ok(document) => {
            document.operations.iter().all(|(_, operation)| operation.node.ty == OperationType::Query)
        }
        // Too much at once, or not GraphQL at all: let the answer say what and where.
        Err(_) => true,
    };
    if reads_only {
        run(&app, caller, request).await
    } else {
        Refusal::OnlyByPost.problem(&caller).into_response()
    }
}

async fn run(app: &App, caller: Caller, request: Request) -> HttpResponse {
    let asked = Asked {
        document: request.query.clone(),
        locale: caller.locale,
        request_id: caller.request_id.clone(),
        suggestions: Suggestions::for_caller(caller.auth_state(), &app.config.graphql),
    };
    let executed =
        AssertUnwindSafe(app.schema.execute(caller.into_graphql(app, request))).catch_unwind().await;
    let response = executed.unwrap_or_else(|cause| answer::of_panic(&*cause));
    let response = answer::finish(response, &asked);
    let retry_after = answer::unavailable_for(&response);
    let mut response = GraphQLResponse::from(response).into_response();
    if let Some(seconds) = retry_after {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    // Answers hold what one person may see, and sometimes a secret.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn read_json(app: &App, caller: &Caller, body: Body) -> Result<Request, Refusal> {
    let mut limit = app.config.http.max_body_bytes;
    if caller.viewer().is_ok_and(|viewer| viewer.may(Act::Mirror).is_ok()) {
        limit = limit.max(MAX_MIRROR_BYTES);
    }
    let body = received::whole(body, limit).await.map_err(|incomplete| match incomplete {
        Incomplete::TooLarge => Refusal::TooLarge(limit),
        Incomplete::BrokenOff => Refusal::BrokenOff,
    })?;
    parse(&body)
}

/// One request as JSON.
fn parse(json: &[u8]) -> Result<Request, Refusal> {
    if json.trim_ascii_start().starts_with(b"[") {
        return Err(Refusal::Batch);
    }
    serde_json::from_slice(json).map_err(|error| Refusal::NotGraphql(error.to_string()))
}

fn has_preflight_header(headers: &HeaderMap) -> bool {
    headers.contains_key("graphql-require-preflight") || headers.contains_key("apollo-require-preflight")
}

fn accepts_html(headers: &HeaderMap) -> bool {
    headers
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

/// The explorer takes its scripts from a public address, so it is served only where a setting asks for it.
fn explorer() -> HttpResponse {
    let page = GraphiQLSource::build().endpoint("/graphql").title("DataPorter Hub GraphQL").finish();
    let policy = "default-src 'self' https://unpkg.com https://esm.sh; img-src * data:; \
                  script-src 'self' 'unsafe-inline' https://unpkg.com https://esm.sh; \
                  style-src 'self' 'unsafe-inline' https://unpkg.com https://esm.sh";
    ([(CONTENT_SECURITY_POLICY, policy)], Html(page)).into_response()
}
