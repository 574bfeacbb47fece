//! Backend.

pub mod auth;
