//! The stand-ins as a client sees them, byte by byte.
#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test and shows its line")]

#[path = "wire/client.rs"]
mod client;
#[path = "wire/connections.rs"]
mod connections;
#[path = "wire/control.rs"]
mod control;
#[path = "wire/faults.rs"]
mod faults;
#[path = "wire/without_faults.rs"]
mod without_faults;
