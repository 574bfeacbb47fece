//! Live practices: what the learning platform reports about them, and the snapshots of activity that follow from it.
//!
//! Code that changes reservations locks their practices first.

pub mod attendance;
pub mod events;
pub mod snapshots;
