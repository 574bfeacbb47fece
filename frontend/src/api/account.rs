//! One's own preferences and API tokens.

use graphql_client::GraphQLQuery;

use super::names::{Locale, TokenScope};
use super::scalars::{DateTime, Id};

/// Changes one's own language and time zone.
#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../schema.graphql",
    query_path = "graphql/update_preferences.graphql",
    extern_enums("Locale"),
    normalization = "rust"
)]
pub struct UpdatePreferences;

/// One's own API tokens.
#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../schema.graphql",
    query_path = "graphql/api_tokens.graphql",
    extern_enums("TokenScope"),
    response_derives = "Clone, Debug, PartialEq",
    normalization = "rust"
)]
pub struct ApiTokens;

/// Makes an API token; its secret is told this once.
#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../schema.graphql",
    query_path = "graphql/create_api_token.graphql",
    extern_enums("TokenScope"),
    normalization = "rust"
)]
pub struct CreateApiToken;

/// Takes an API token out of use.
#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../schema.graphql",
    query_path = "graphql/revoke_api_token.graphql",
    normalization = "rust"
)]
pub struct RevokeApiToken;
