//! Telemetry: what happened, on its way in and out.

pub mod ingest;
mod limits;
pub mod player_event;
pub mod recorder;
pub mod refusal;
