//! What must hold of every page: it fits, everything has a name, and text stands out from its ground.

use super::page::Page;

/// Looks at the page in both themes.
pub async fn page(page: &Page, name: &str) {
    for theme in ["light", "dark"] {
        page.evaluate(&format!("document.documentElement.dataset.theme = '{theme}'")).await;
        let faults = page.evaluate(include_str!("audit.js")).await;
        assert_eq!(faults, serde_json::json!([]), "{name}, {theme}");
    }
}
