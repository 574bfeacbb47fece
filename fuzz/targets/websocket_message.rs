//! A WebSocket message from a client, parsed by the GraphQL library, including the document in it.

#![no_main]

use async_graphql::http::ClientMessage;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|message: &[u8]| {
    if let Ok(ClientMessage::Start { payload, .. }) = ClientMessage::from_bytes(message) {
        fuzz::execute(payload);
    }
});
