//! The pages: each puts together what `ui`, `api`, `session`, `address` and `i18n` give.

pub mod failed;
pub mod heading;
pub mod hub;
pub mod no_page;
pub mod player_demo;
pub mod preferences;
pub mod sign_in;
