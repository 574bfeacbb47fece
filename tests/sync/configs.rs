//! Configurations for the tests of the sync.

use std::time::Duration;

use backend::config::Config;
use backend::config::telemetry::ClientIds;
use stand_ins::StandIns;

pub use super::fixture::{both, ga4, mixpanel};

/// Enables GA4 with one request at a time, so that requests arrive in order.
pub fn ga4_in_order(config: &mut Config, services: &StandIns) {
    ga4(config, services);
    config.telemetry.ga4.concurrency = 1;
}

/// Enables GA4 with one client id per viewer and one request at a time.
pub fn ga4_by_viewer(config: &mut Config, services: &StandIns) {
    ga4_in_order(config, services);
    config.telemetry.ga4.client_ids = ClientIds::Stable;
}

/// Enables Mixpanel through `/track`, and through `/import` for events that are too old for `/track`.
pub fn mixpanel_by_token(config: &mut Config, services: &StandIns) {
    mixpanel(config, services);
    config.telemetry.mixpanel.api_secret = None;
}

/// Makes runs end instead of waiting for a service that pauses.
pub fn without_waits(config: &mut Config) {
    config.telemetry.sync.max_wait = Duration::ZERO;
}

/// Sets the response timeout of both drivers.
pub fn response_timeout(config: &mut Config, limit: Duration) {
    config.telemetry.ga4.request_timeout = limit;
    config.telemetry.mixpanel.request_timeout = limit;
}
