//! Checks of every page: nothing overflows, everything has an accessible name, and text has enough contrast.

use super::page::Page;

/// Checks the page in both themes.
pub async fn check(page: &Page, name: &str) {
    for theme in ["light", "dark"] {
        page.evaluate(&format!("document.documentElement.dataset.theme = '{theme}'")).await;
        let violations = page.evaluate(include_str!("accessibility.js")).await;
        assert_eq!(violations, serde_json::json!([]), "{name}, {theme}");
    }
}
