//! End-to-end tests: headless Chromium, driven over WebDriver, against a complete server.

#![expect(clippy::unwrap_used, reason = "a failing unwrap shows where the test failed")]

#[expect(dead_code, reason = "the API tests use more of the harness")]
mod harness;

mod browser {
    mod accessibility;
    mod account;
    mod chromium;
    mod export;
    mod hub_proxy;
    mod keyboard;
    mod language;
    mod page;
    mod player;
    mod player_script;
    mod screens;
    mod selection;
    mod sign_in;
    mod sync;
    mod teacher_admin;
    mod theme;
    mod visit;
}
