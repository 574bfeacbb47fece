//! `POST /graphql`, and `GET /graphql` for queries.
//!
//! Requests that another site could send without a CORS preflight are refused: a POST must be JSON, or
//! multipart with a header that no form can set, and a GET cannot run mutations.

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
use super::body::{self, BodyError};
use super::caller::Caller;
use crate::app::App;
use crate::graphql::limits;
use crate::graphql::response::{self, ResponseContext, Suggestions};

mod refusal;
mod sse;
mod subscription;
mod upload;
mod websocket;

pub use sse::route as stream;
pub use websocket::route as websocket;

/// The maximum size of a JSON request from a caller who may mirror platform data: enough for 1000 rows with
/// long texts.
const MAX_MIRROR_BYTES: usize = 16 << 20;

/// The route.
pub fn route() -> MethodRouter<App> {
    get(query).post(execute)
}

/// The query string of a GET request.
#[derive(Deserialize)]
struct QueryParameters {
    query: Option<String>,
    variables: Option<String>,
    #[serde(rename = "operationName")]
    operation_name: Option<String>,
}

async fn execute(State(app): State<App>, caller: Caller, headers: HeaderMap, body: Body) -> HttpResponse {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let request = match content_type.split(';').next().unwrap_or_default().trim() {
        mime if mime.eq_ignore_ascii_case("application/json") => read_json(&app, &caller, body).await,
        mime if mime.eq_ignore_ascii_case("multipart/form-data") => {
            if has_preflight_header(&headers) {
                upload::receive(&app, &caller, content_type, body).await
            } else {
                Err(Refusal::NeedsPreflight)
            }
        }
        _ => Err(Refusal::WrongContentType),
    };
    match request {
        Ok(request) => run(&app, caller, request).await,
        Err(refusal) => refusal.problem(&caller).into_response(),
    }
}

async fn query(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    parameters: Result<Query<QueryParameters>, QueryRejection>,
) -> HttpResponse {
    let Ok(Query(QueryParameters { query: Some(query), variables, operation_name })) = parameters else {
        return if app.config.graphql.graphiql && accepts_html(&headers) {
            graphiql()
        } else {
            Refusal::InvalidQuery.problem(&caller).into_response()
        };
    };
    let mut request = Request::new(query);
    request.operation_name = operation_name;
    if let Some(variables) = variables {
        match serde_json::from_str(&variables) {
            Ok(variables) => request = request.variables(variables),
            Err(_) => return Refusal::InvalidQuery.problem(&caller).into_response(),
        }
    }
    match limits::executed_operation(&mut request, caller.auth_state()) {
        Some(OperationType::Mutation | OperationType::Subscription) => {
            Refusal::MutationNeedsPost.problem(&caller).into_response()
        }
        Some(OperationType::Query) | None => run(&app, caller, request).await,
    }
}

async fn run(app: &App, caller: Caller, request: Request) -> HttpResponse {
    let context = ResponseContext {
        document: request.query.clone(),
        locale: caller.locale,
        request_id: caller.request_id.clone(),
        suggestions: Suggestions::for_caller(caller.auth_state(), &app.config.graphql),
    };
    let executed =
        AssertUnwindSafe(app.schema.execute(caller.into_graphql(app, request))).catch_unwind().await;
    let response = executed.unwrap_or_else(|cause| response::from_panic(&*cause));
    let response = response::finish(response, &context);
    let retry_after = response::retry_after_seconds(&response);
    let mut response = GraphQLResponse::from(response).into_response();
    if let Some(seconds) = retry_after {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    // Responses contain data for one caller only, and sometimes a secret.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn read_json(app: &App, caller: &Caller, body: Body) -> Result<Request, Refusal> {
    let mut limit = app.config.http.max_body_bytes;
    if caller.viewer().is_ok_and(|viewer| viewer.may(Act::Mirror).is_ok()) {
        limit = limit.max(MAX_MIRROR_BYTES);
    }
    let body = body::read(body, limit).await.map_err(|error| match error {
        BodyError::TooLarge => Refusal::TooLarge(limit),
        BodyError::Incomplete => Refusal::Incomplete,
    })?;
    parse(&body)
}

/// Parses a single request.
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

/// The GraphiQL explorer. It loads scripts from public CDNs, so it is served only if a setting enables it.
fn graphiql() -> HttpResponse {
    let page = GraphiQLSource::build().endpoint("/graphql").title("DataPorter Hub GraphQL").finish();
    let policy = "default-src 'self' https://unpkg.com https://esm.sh; img-src * data:; \
                  script-src 'self' 'unsafe-inline' https://unpkg.com https://esm.sh; \
                  style-src 'self' 'unsafe-inline' https://unpkg.com https://esm.sh";
    ([(CONTENT_SECURITY_POLICY, policy)], Html(page)).into_response()
}
