//! The sync with GA4 and Mixpanel, against stand-ins that answer, fail and keep what they get as the services do.

mod ages;
mod breaker;
mod chaos;
mod check;
mod connections;
mod drivers;
mod ga4;
mod ga4_by_viewer;
mod given_up;
pub mod ground;
mod live;
mod mixpanel_import;
mod mixpanel_sizes;
mod mixpanel_track;
mod normal;
mod outages;
mod pauses;
mod plans;
mod program;
mod record;
mod retries;
mod roles;
mod secrets;
mod settings;
mod side_by_side;
mod steps;
mod unanswered;
