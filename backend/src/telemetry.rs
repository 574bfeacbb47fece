//! Player events: recording them, delivering them to analytics services, and monitoring the delivery.

pub mod backlog;
pub mod delivery;
pub mod driver;
pub mod ingest;
mod limits;
pub mod monitor;
pub mod player_event;
pub mod refusal;
mod sender_clock;
pub mod status;
pub mod status_feed;
