//! The stand-ins as a client sees them, byte by byte.
#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

#[path = "wire/client.rs"]
mod client;
#[path = "wire/control.rs"]
mod control;
#[path = "wire/faults.rs"]
mod faults;
#[path = "wire/plain.rs"]
mod plain;
#[path = "wire/reach.rs"]
mod reach;
