//! Backend.

pub mod auth;
pub mod db;
pub mod models;
mod outbound;
