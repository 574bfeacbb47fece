//! The sync with GA4 and Mixpanel, against stand-ins that answer, fail and keep what they get as the services do.

mod ground;
mod normal;
