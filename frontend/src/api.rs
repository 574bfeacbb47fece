//! Talking to the server: GraphQL and the export links. Knows nothing of who is signed in, nor of pages.
//!
//! Every operation is a file in `graphql/`, checked against the server's schema when the app is compiled.

pub mod account;
pub mod audit;
pub mod courses;
pub mod failure;
pub mod links;
pub mod names;
pub mod preview;
pub mod sign_in;

use domain::Locale;
use gloo_net::http::{Request, Response};
use graphql_client::{GraphQLQuery, QueryBody};
use serde::Serialize;
use serde::de::DeserializeOwned;

use failure::Failure;

/// The schema's scalars as the browser holds them.
pub mod scalars {
    /// The schema calls it `ID`.
    pub type Id = String;
    /// RFC 3339 text.
    pub type DateTime = String;
    /// A date or RFC 3339 text.
    pub type DateBound = String;
    /// Any JSON value.
    pub type Json = serde_json::Value;
}

/// On whose behalf, and in which language, a request is made.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The access token, when somebody is signed in.
    pub token: Option<String>,
    /// The language for what the server has to say.
    pub locale: Locale,
}

/// Runs one GraphQL operation.
pub async fn run<Q: GraphQLQuery>(
    caller: &Caller,
    variables: Q::Variables,
) -> Result<Q::ResponseData, Failure> {
    ask(caller, &Q::build_query(variables)).await
}

/// Sends a GraphQL document and reads the answer's `data` as `T`.
async fn ask<V: Serialize, T: DeserializeOwned>(caller: &Caller, body: &QueryBody<V>) -> Result<T, Failure> {
    let response = post(caller, "/graphql", body).await?;
    let status = response.status();
    let text = response.text().await.map_err(|_| Failure::Unreachable)?;
    match serde_json::from_str::<graphql_client::Response<T>>(&text) {
        Ok(graphql_client::Response { errors: Some(errors), .. }) if !errors.is_empty() => {
            Err(failure::from_graphql(&errors))
        }
        Ok(graphql_client::Response { data: Some(data), .. }) => Ok(data),
        Ok(_) | Err(_) => Err(failure::from_problem(status, &text)),
    }
}

/// Sends JSON to a route outside GraphQL and reads JSON back.
async fn send<T: DeserializeOwned>(caller: &Caller, path: &str, body: &impl Serialize) -> Result<T, Failure> {
    let response = post(caller, path, body).await?;
    let status = response.status();
    let text = response.text().await.map_err(|_| Failure::Unreachable)?;
    if response.ok() {
        serde_json::from_str(&text).map_err(|_| Failure::Unreadable)
    } else {
        Err(failure::from_problem(status, &text))
    }
}

async fn post(caller: &Caller, path: &str, body: &impl Serialize) -> Result<Response, Failure> {
    let mut request = Request::post(path)
        .header("accept", "application/json, application/problem+json")
        .header("accept-language", caller.locale.tag());
    if let Some(token) = &caller.token {
        request = request.header("authorization", &format!("Bearer {token}"));
    }
    let request = request.json(body).map_err(|_| Failure::Unreadable)?;
    request.send().await.map_err(|_| Failure::Unreachable)
}
