//! A GraphQL document from a client: it is measured, parsed and validated, and introspection is executed.

#![no_main]

use async_graphql::Request;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|document: &str| {
    fuzz::execute(Request::new(document));
});
