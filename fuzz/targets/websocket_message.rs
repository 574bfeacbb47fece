//! A message of a client over a WebSocket, as the GraphQL library reads it, with the document in it.

#![no_main]

use async_graphql::http::ClientMessage;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|message: &[u8]| {
    if let Ok(ClientMessage::Start { payload, .. }) = ClientMessage::from_bytes(message) {
        fuzz::answer(payload);
    }
});
