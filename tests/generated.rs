//! Generated files are up to date.
//!
//! A test whose file is out of date rewrites the file and fails, so that the change is noticed and committed.

mod diesel_schema;

use std::path::Path;

use crate::harness::database::TestDatabase;
use crate::harness::sdl;

#[tokio::test]
async fn the_diesel_schema_is_current() {
    let database = TestDatabase::new().await;
    let schema = diesel_schema::print(&database.client().await).await;
    assert_current("backend/src/db/schema.rs", &schema);
}

#[test]
fn the_graphql_schema_is_current() {
    assert_current("schema.graphql", &sdl::server_schema());
}

/// Checks that a file, given relative to the repository root, has the expected content.
fn assert_current(file: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    if std::fs::read_to_string(&path).is_ok_and(|current| current == expected) {
        return;
    }
    std::fs::write(&path, expected).unwrap_or_else(|error| panic!("failed to write {file}: {error}"));
    panic!("{file} was out of date and has been rewritten. Review and commit the change.");
}
