//! Telemetry: what happened, on its way in and out.

pub mod backlog;
pub mod delivery;
pub mod driver;
pub mod ingest;
mod limits;
pub mod monitor;
pub mod notify;
pub mod player_event;
pub mod recorder;
pub mod refusal;
mod sender_clock;
pub mod status;
pub mod status_feed;
