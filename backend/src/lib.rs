//! Backend.

pub mod auth;
pub mod db;
mod outbound;
