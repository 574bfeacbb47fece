//! The product's mark and name.

use leptos::prelude::*;

/// The mark and the name.
#[component]
pub fn Brand() -> impl IntoView {
    view! {
        <div class="brand">
            <span class="brand__mark" aria-hidden="true"></span>
            "DataPorter Hub"
        </div>
    }
}
