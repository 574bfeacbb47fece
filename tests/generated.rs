//! Files that are generated from the product itself.
//!
//! Each test writes its file anew when it differs, and then fails, so that the change is seen and committed.

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
    assert_current("schema.graphql", &sdl::of_server());
}

/// Compares a file, named from the project's root, with what it should be.
fn assert_current(file: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    if std::fs::read_to_string(&path).is_ok_and(|present| present == expected) {
        return;
    }
    std::fs::write(&path, expected).unwrap_or_else(|error| panic!("{file} cannot be written: {error}"));
    panic!("{file} was out of date and has been written anew: look at the change and commit it");
}
