//! Backend.

pub mod auth;
mod outbound;
