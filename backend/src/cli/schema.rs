//! `dataporter schema`

use crate::config::Config;
use crate::graphql::schema;

/// Prints the GraphQL schema; neither settings nor a database are needed for it.
pub(super) fn run() {
    print!("{}", schema::build(&Config::of_defaults().graphql).sdl());
}
