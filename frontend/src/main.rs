//! The Hub: the single-page app in the browser.

mod address;
mod api;
mod app;
mod browser;
mod i18n;
mod latest_request;
mod live;
mod pages;
mod player;
mod search;
mod session;
mod theme;
mod ui;

fn main() {
    console_error_panic_hook::set_once();
    leptos::mount::mount_to_body(app::App);
    browser::remove_splash();
}
