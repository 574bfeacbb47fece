//! What the player's demo asks for: its lesson, and a token as a learning platform gets one.

use domain::Locale;
use domain::failure::ErrorCode;
use graphql_client::GraphQLQuery;
use serde::Deserialize;

use super::failure::{Failure, refusal};
use super::read_json;
use super::scalars::Id;

/// Makes a token with which a player records the progress of one user.
#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../schema.graphql",
    query_path = "graphql/issue_player_token.graphql",
    normalization = "rust"
)]
pub struct IssuePlayerToken;

/// The lesson that the demo plays for whoever may not choose one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DemoLesson {
    /// Its id.
    pub lesson_id: String,
    /// Its title.
    pub title: String,
}

/// The demo's lesson; nothing where this hub is no demo.
pub async fn demo_lesson() -> Result<Option<DemoLesson>, Failure> {
    let request = gloo_net::http::Request::get("/player/demo.json");
    let response = request.send().await.map_err(|_| Failure::Unreachable)?;
    let text = response.text().await.map_err(|_| Failure::Unreachable)?;
    match refusal(response.status(), &text, Locale::default()) {
        None => read_json(&text).map(Some),
        Some(Failure::Refused(refusal)) if refusal.code == ErrorCode::NotFound => Ok(None),
        Some(failure) => Err(failure),
    }
}
