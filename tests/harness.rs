//! Fixtures and helpers shared by the tests.

pub mod academy;
pub mod blocker;
pub mod cluster;
pub mod database;
pub mod dataset;
pub mod event_stream;
pub mod hub;
pub mod proxy;
pub mod request;
pub mod sdl;
pub mod statements;
pub mod tls_cluster;
