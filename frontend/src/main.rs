//! Frontend.
fn main() {}
