//! `dataporter schema`

use crate::config::Config;
use crate::graphql::schema;

/// Prints the GraphQL schema. This needs neither settings nor a database.
pub(super) fn run() {
    print!("{}", schema::build(&Config::defaults().graphql).sdl());
}
