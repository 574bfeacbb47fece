//! Telemetry: what happened, on its way in and out.

pub mod backlog;
pub mod ingest;
mod limits;
pub mod monitor;
pub mod player_event;
pub mod recorder;
pub mod refusal;
