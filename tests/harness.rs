//! What the tests stand on.

pub mod academy;
pub mod ask;
pub mod cluster;
pub mod database;
pub mod dataset;
pub mod hub;
pub mod proxy;
pub mod sdl;
pub mod statements;
pub mod tls_cluster;
