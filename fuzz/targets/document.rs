//! A GraphQL document from anybody: measured, parsed, validated and, as far as it asks for the schema only, executed.

#![no_main]

use async_graphql::Request;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|document: &str| {
    fuzz::answer(Request::new(document));
});
