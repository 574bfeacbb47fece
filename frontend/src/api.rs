//! Talking to the server: GraphQL and the export links. Knows nothing of who is signed in, nor of pages.
//!
//! Every operation is a file in `graphql/`, checked against the server's schema when the app is compiled.

pub mod account;
pub mod audit;
pub mod courses;
pub mod failure;
pub mod links;
pub mod names;
mod patience;
pub mod player;
pub mod preview;
pub mod sign_in;
pub mod socket;
pub mod sync;

use domain::Locale;
use graphql_client::{GraphQLQuery, QueryBody};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use failure::Failure;
use patience::Patience;

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

/// Something to ask the server for, and how to read its answer.
///
/// What depends on the kind of answer is kept to writing and reading text, so that sending is compiled only once.
pub struct Request<T> {
    /// What is sent.
    pub letter: Letter,
    /// How the answer is read.
    pub read: fn(&str) -> Result<T, Failure>,
}

/// What is sent, and where to.
#[derive(Clone, Debug)]
pub struct Letter {
    path: &'static str,
    body: String,
}

impl<T> Request<T> {
    fn new(path: &'static str, body: &impl Serialize, read: fn(&str) -> Result<T, Failure>) -> Self {
        Self { letter: Letter { path, body: written(body) }, read }
    }
}

/// A body as JSON.
fn written(body: &impl Serialize) -> String {
    serde_json::to_string(body).expect("bodies are made of plain structs with text for keys")
}

/// One GraphQL operation.
pub fn operation<Q: GraphQLQuery>(variables: Q::Variables) -> Request<Q::ResponseData> {
    document(&Q::build_query(variables), read_data)
}

/// A GraphQL document whose answer is read by a function of its own.
fn document<V: Serialize, T>(body: &QueryBody<V>, read: fn(&str) -> Result<T, Failure>) -> Request<T> {
    Request::new("/graphql", body, read)
}

/// The `data` of a GraphQL answer.
fn read_data<T: DeserializeOwned>(answer: &str) -> Result<T, Failure> {
    /// A GraphQL answer without errors.
    #[derive(Deserialize)]
    struct Answer<T> {
        data: T,
    }
    read_json(answer).map(|Answer { data }| data)
}

/// An answer that is JSON as it stands.
fn read_json<T: DeserializeOwned>(answer: &str) -> Result<T, Failure> {
    serde_json::from_str(answer).map_err(|_| Failure::Unreadable)
}

/// Posts a letter and gives back the text of the answer, unless it is a refusal.
///
/// An answer that does not come in time, or that nobody waits for any more, is broken off.
pub async fn post(caller: &Caller, letter: &Letter) -> Result<String, Failure> {
    let patience = Patience::new();
    let mut request = gloo_net::http::Request::post(letter.path)
        .header("content-type", "application/json")
        .header("accept", "application/json, application/problem+json")
        .header("accept-language", caller.locale.tag())
        .abort_signal(patience.signal().as_ref());
    if let Some(token) = &caller.token {
        request = request.header("authorization", &format!("Bearer {token}"));
    }
    let request = request.body(letter.body.as_str()).map_err(|_| Failure::Unreadable)?;
    let response = request.send().await.map_err(|_| Failure::Unreachable)?;
    let text = response.text().await.map_err(|_| Failure::Unreachable)?;
    match failure::refusal(response.status(), &text, caller.locale) {
        Some(failure) => Err(failure),
        None => Ok(text),
    }
}
