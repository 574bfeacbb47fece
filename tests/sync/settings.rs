//! Settings under which the sync is looked at.

use std::time::Duration;

use backend::config::Config;
use backend::config::telemetry::ClientIds;
use stand_ins::StandIns;

pub use super::ground::{both, ga4, mixpanel};

/// Enables GA4, which gets one request at a time, so that they come in order.
pub fn ga4_in_order(config: &mut Config, services: &StandIns) {
    ga4(config, services);
    config.telemetry.ga4.concurrency = 1;
}

/// Enables GA4, where all events of a viewer come from one client, and which gets one request at a time.
pub fn ga4_by_viewer(config: &mut Config, services: &StandIns) {
    ga4_in_order(config, services);
    config.telemetry.ga4.client_ids = ClientIds::Stable;
}

/// Enables Mixpanel, by `/track`, and by `/import` for what is too old for that.
pub fn mixpanel_by_token(config: &mut Config, services: &StandIns) {
    mixpanel(config, services);
    config.telemetry.mixpanel.api_secret = None;
}

/// A run waits for nothing.
pub fn impatient(config: &mut Config) {
    config.telemetry.sync.max_wait = Duration::ZERO;
}

/// An answer that takes longer than this does not come.
pub fn answers_within(config: &mut Config, limit: Duration) {
    config.telemetry.ga4.answer_within = limit;
    config.telemetry.mixpanel.answer_within = limit;
}
