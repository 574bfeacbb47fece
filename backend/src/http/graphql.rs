//! `POST /graphql`, and `GET /graphql` for queries.
//!
//! A request that a foreign page could send without asking first is refused: a POST must be JSON, or multipart with a
//! header that no form can set, and a GET cannot change anything.

use async_graphql::http::{GraphiQLSource, MultipartOptions, parse_query_string, receive_body};
use async_graphql::parser::types::OperationType;
use async_graphql::{ParseRequestError, Request};
use async_graphql_axum::GraphQLResponse;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::header::{ACCEPT, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response as HttpResponse};
use axum::routing::{MethodRouter, get};
use domain::failure::ErrorCode;
use domain::text::Phrase;
use futures_util::TryStreamExt as _;
use tokio_util::compat::TokioAsyncReadCompatExt as _;
use tokio_util::io::StreamReader;

use super::caller::Caller;
use super::problem::Problem;
use crate::app::App;
use crate::graphql::answer;

/// What a multipart request may hold beside its file, in bytes.
const MAX_ENVELOPE_BYTES: usize = 64 << 10;

/// The route.
pub fn route() -> MethodRouter<App> {
    get(query).post(execute)
}

async fn execute(State(app): State<App>, caller: Caller, headers: HeaderMap, body: Body) -> HttpResponse {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let limit = match content_type.split(';').next().unwrap_or_default().trim() {
        kind if kind.eq_ignore_ascii_case("application/json") => app.config.http.max_body_bytes,
        kind if kind.eq_ignore_ascii_case("multipart/form-data") && has_preflight_header(&headers) => {
            usize::try_from(app.config.imports.max_bytes)
                .unwrap_or(usize::MAX)
                .saturating_add(MAX_ENVELOPE_BYTES)
        }
        kind if kind.eq_ignore_ascii_case("multipart/form-data") => return NEEDS_PREFLIGHT.problem(&caller),
        _ => return WRONG_CONTENT_TYPE.problem(&caller),
    };
    let stream = Body::new(http_body_util::Limited::new(body, limit)).into_data_stream();
    let reader = StreamReader::new(stream.map_err(std::io::Error::other)).compat();
    let options = MultipartOptions::default().max_num_files(1).max_file_size(limit);
    match receive_body(Some(content_type), reader, options).await {
        Ok(request) => run(&app, caller, request).await.into_response(),
        Err(error) => refused(&error, limit, &caller),
    }
}

async fn query(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> HttpResponse {
    let Some(query) = query else {
        return if app.config.graphql.graphiql && accepts_html(&headers) {
            explorer()
        } else {
            NEEDS_QUERY.problem(&caller)
        };
    };
    let Ok(mut request) = parse_query_string(&query) else { return NEEDS_QUERY.problem(&caller) };
    let reads_only = match request.parsed_query() {
        Ok(document) => {
            document.operations.iter().all(|(_, operation)| operation.node.ty == OperationType::Query)
        }
        // Not GraphQL at all: let the answer say where.
        Err(_) => true,
    };
    if reads_only { run(&app, caller, request).await.into_response() } else { ONLY_BY_POST.problem(&caller) }
}

async fn run(app: &App, caller: Caller, request: Request) -> GraphQLResponse {
    let (locale, request_id) = (caller.locale, caller.request_id.clone());
    let response = app.schema.execute(caller.into_graphql(app, request)).await;
    answer::finish(response, locale, &request_id).into()
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

struct Refusal {
    status: StatusCode,
    es: &'static str,
    en: &'static str,
}

impl Refusal {
    fn problem(&self, caller: &Caller) -> HttpResponse {
        let detail = Phrase::new(self.es, self.en);
        Problem::new(self.status, ErrorCode::BadUserInput, detail.in_locale(caller.locale)).into_response()
    }
}

const WRONG_CONTENT_TYPE: Refusal = Refusal {
    status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
    es: "Se acepta Content-Type application/json, o multipart/form-data para subir un archivo.",
    en: "Accepted: Content-Type application/json, or multipart/form-data for a file upload.",
};
const NEEDS_PREFLIGHT: Refusal = Refusal {
    status: StatusCode::BAD_REQUEST,
    es: "Una petición multipart debe llevar la cabecera graphql-require-preflight con cualquier valor.",
    en: "A multipart request must carry the header graphql-require-preflight with any value.",
};
const NEEDS_QUERY: Refusal = Refusal {
    status: StatusCode::BAD_REQUEST,
    es: "Se acepta POST con JSON, o GET con query y, si hace falta, variables como JSON.",
    en: "Accepted: POST with JSON, or GET with query and, where needed, variables as JSON.",
};
const ONLY_BY_POST: Refusal = Refusal {
    status: StatusCode::METHOD_NOT_ALLOWED,
    es: "Una mutación se envía por POST.",
    en: "A mutation goes by POST.",
};

fn refused(error: &ParseRequestError, limit: usize, caller: &Caller) -> HttpResponse {
    let too_large =
        matches!(error, ParseRequestError::PayloadTooLarge) || error.to_string().contains("length limit");
    if too_large {
        let megabytes = limit >> 20;
        let detail = Phrase::new(
            format!("La petición es demasiado grande. Se aceptan hasta {megabytes} MiB."),
            format!("The request is too large. Accepted: up to {megabytes} MiB."),
        );
        return Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            ErrorCode::BadUserInput,
            detail.in_locale(caller.locale),
        )
        .into_response();
    }
    let detail = match error {
        ParseRequestError::UnsupportedBatch => {
            Phrase::new("Se acepta una sola operación por petición.", "Accepted: one operation a request.")
        }
        other => Phrase::new(
            format!("No es una petición de GraphQL: {other}"),
            format!("Not a GraphQL request: {other}"),
        ),
    };
    Problem::new(StatusCode::BAD_REQUEST, ErrorCode::BadUserInput, detail.in_locale(caller.locale))
        .into_response()
}
