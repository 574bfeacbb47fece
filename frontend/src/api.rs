//! The client of the server's API: GraphQL and export links. Knows nothing of sessions or pages.
//!
//! Operations are files in `graphql/`, checked against the server's schema at compile time, except for the preview of
//! datasets.

pub mod account;
pub mod audit;
pub mod courses;
pub mod failure;
pub mod links;
pub mod names;
pub mod people;
pub mod player;
pub mod preview;
mod request_timeout;
pub mod sign_in;
pub mod socket;
pub mod sync;

use domain::Locale;
use graphql_client::{GraphQLQuery, QueryBody};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use failure::Failure;
use request_timeout::RequestTimeout;

/// The Rust types of the schema's scalars.
pub mod scalars {
    /// `ID` in the schema.
    pub type Id = String;
    /// An RFC 3339 timestamp.
    pub type DateTime = String;
    /// Any JSON value.
    pub type Json = serde_json::Value;
}

/// The caller of a request: the access token and the language.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The access token, if a user is signed in.
    pub token: Option<String>,
    /// The language of the server's messages.
    pub locale: Locale,
}

/// A request to the server with the function that parses its response.
///
/// Only serializing and parsing depend on the response type, so the code that sends is compiled only once.
pub struct Request<T> {
    pub raw: RawRequest,
    pub read: fn(&str) -> Result<T, Failure>,
}

/// A request's path and its JSON body.
#[derive(Clone, Debug)]
pub struct RawRequest {
    path: &'static str,
    body: String,
}

impl<T> Request<T> {
    fn new(path: &'static str, body: &impl Serialize, read: fn(&str) -> Result<T, Failure>) -> Self {
        Self { raw: RawRequest { path, body: to_json(body) }, read }
    }
}

/// Serializes a body as JSON.
fn to_json(body: &impl Serialize) -> String {
    serde_json::to_string(body).expect("request bodies are plain structs with string keys")
}

/// The request for a GraphQL operation with a derived response type.
pub fn operation<Q: GraphQLQuery>(variables: Q::Variables) -> Request<Q::ResponseData> {
    graphql_request(&Q::build_query(variables), read_data)
}

/// The request for a GraphQL operation with a custom parser.
fn graphql_request<V: Serialize, T>(body: &QueryBody<V>, read: fn(&str) -> Result<T, Failure>) -> Request<T> {
    Request::new("/graphql", body, read)
}

/// Parses the `data` of a GraphQL response.
fn read_data<T: DeserializeOwned>(response: &str) -> Result<T, Failure> {
    /// A GraphQL response without errors.
    #[derive(Deserialize)]
    struct Response<T> {
        data: T,
    }
    read_json(response).map(|Response { data }| data)
}

/// Parses a JSON response.
fn read_json<T: DeserializeOwned>(response: &str) -> Result<T, Failure> {
    serde_json::from_str(response).map_err(|_| Failure::Unreadable)
}

/// Posts a request and returns the response's text, or the error in it.
///
/// The request is aborted if it times out or if the future is dropped.
pub async fn post(caller: &Caller, raw: &RawRequest) -> Result<String, Failure> {
    let timeout = RequestTimeout::new();
    let mut request = gloo_net::http::Request::post(raw.path)
        .header("content-type", "application/json")
        .header("accept", "application/json, application/problem+json")
        .header("accept-language", caller.locale.tag())
        .abort_signal(timeout.signal().as_ref());
    if let Some(token) = &caller.token {
        request = request.header("authorization", &format!("Bearer {token}"));
    }
    let request = request.body(raw.body.as_str()).map_err(|_| Failure::Unreadable)?;
    let response = request.send().await.map_err(|_| Failure::Unreachable)?;
    let text = response.text().await.map_err(|_| Failure::Unreachable)?;
    match failure::parse_error(response.status(), &text, caller.locale) {
        Some(failure) => Err(failure),
        None => Ok(text),
    }
}
