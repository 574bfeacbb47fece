//! Telemetry: what happened, on its way in and out.

pub mod recorder;
