//! Requests of the player demo: its lesson, and a player token.

use domain::Locale;
use domain::failure::ErrorCode;
use graphql_client::GraphQLQuery;
use serde::Deserialize;

use super::failure::{Failure, parse_error};
use super::read_json;
use super::scalars::Id;

/// Issues a token with which a player records one user's events.
#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../schema.graphql",
    query_path = "graphql/issue_player_token.graphql",
    normalization = "rust"
)]
pub struct IssuePlayerToken;

/// The demo's lesson, for users who may not list lessons.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DemoLesson {
    pub lesson_id: String,
    pub title: String,
}

/// The demo's lesson, or `None` if this hub is not a demo.
pub async fn demo_lesson() -> Result<Option<DemoLesson>, Failure> {
    let request = gloo_net::http::Request::get("/player/demo.json");
    let response = request.send().await.map_err(|_| Failure::Unreachable)?;
    let text = response.text().await.map_err(|_| Failure::Unreachable)?;
    match parse_error(response.status(), &text, Locale::default()) {
        None => read_json(&text).map(Some),
        Some(Failure::Api(error)) if error.code == ErrorCode::NotFound => Ok(None),
        Some(failure) => Err(failure),
    }
}
