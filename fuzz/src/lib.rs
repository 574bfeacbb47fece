//! Code shared by several fuzz targets.

use std::sync::LazyLock;

use async_graphql::Request;
use backend::config::Config;
use backend::graphql::schema::{self, HubSchema};
use tokio::runtime::{Builder, Runtime};

static SCHEMA: LazyLock<HubSchema> = LazyLock::new(|| schema::build(&Config::defaults().graphql));

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().build().expect("a single-threaded runtime needs no resources"));

/// Executes a request as the server does, but limited to introspection, because the resolvers need a
/// database.
pub fn execute(request: Request) {
    RUNTIME.block_on(SCHEMA.execute(request.only_introspection()));
}
