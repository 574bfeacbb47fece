//! What several targets share.

use std::sync::LazyLock;

use async_graphql::Request;
use backend::config::Config;
use backend::graphql::schema::{self, HubSchema};
use tokio::runtime::{Builder, Runtime};

static SCHEMA: LazyLock<HubSchema> = LazyLock::new(|| schema::build(&Config::of_defaults().graphql));

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().build().expect("a runtime of one thread needs nothing"));

/// Answers a request as the server does, on a stack as large as the server's, but asks no resolver of the product: they
/// need a database.
pub fn answer(request: Request) {
    RUNTIME.block_on(SCHEMA.execute(request.only_introspection()));
}
