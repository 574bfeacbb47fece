//! The pages, composed of `ui`, `api`, `session`, `address` and `i18n`.

pub mod failed;
pub mod heading;
pub mod hub;
pub mod not_found;
pub mod player_demo;
pub mod preferences;
pub mod sign_in;
