//! The server of `DataPorter` Hub: everything that the `dataporter` command runs.

pub mod app;
pub mod auth;
mod backoff;
pub mod cli;
pub mod clock;
pub mod config;
pub mod date_bound;
pub mod db;
pub mod demo;
mod erasure;
pub mod error;
pub mod export;
pub mod field;
pub mod graphql;
pub mod http;
pub mod id;
pub mod import;
pub mod jobs;
mod json_scan;
pub mod mail;
pub mod metrics;
pub mod mirror;
pub mod models;
pub mod notification;
mod outbound;
pub mod practices;
pub mod refusal;
#[cfg(test)]
mod round_trip;
pub mod source;
pub mod spreadsheet;
pub mod telemetry;

pub use error::{Error, Result};
