//! The Hub as a person meets it: in headless Chromium, driven over WebDriver, against a whole server.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

#[expect(dead_code, reason = "the API tests use more of what the tests stand on")]
mod harness;

mod browser {
    mod account;
    mod audit;
    mod choices;
    mod chromium;
    mod export;
    mod keyboard;
    mod language;
    mod line;
    mod page;
    mod player;
    mod player_script;
    mod screens;
    mod sign_in;
    mod sync;
    mod teacher_admin;
    mod theme;
    mod visit;
}
