//! The user's own preferences and API tokens.

use graphql_client::GraphQLQuery;

use super::names::{Locale, TokenScope};
use super::scalars::{DateTime, Id};

/// Changes the user's language and time zone.
#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../schema.graphql",
    query_path = "graphql/update_preferences.graphql",
    extern_enums("Locale"),
    normalization = "rust"
)]
pub struct UpdatePreferences;

/// Lists the API tokens that the user may see.
#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../schema.graphql",
    query_path = "graphql/api_tokens.graphql",
    extern_enums("TokenScope"),
    response_derives = "Clone, Debug, PartialEq",
    normalization = "rust"
)]
pub struct ApiTokens;

/// Creates an API token. The response is the only one that contains its secret.
#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../schema.graphql",
    query_path = "graphql/create_api_token.graphql",
    extern_enums("TokenScope"),
    normalization = "rust"
)]
pub struct CreateApiToken;

/// Revokes an API token.
#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../schema.graphql",
    query_path = "graphql/revoke_api_token.graphql",
    normalization = "rust"
)]
pub struct RevokeApiToken;
