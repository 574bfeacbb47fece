//! The product's logo and name.

use leptos::prelude::*;

/// The logo and the name.
#[component]
pub fn Brand() -> impl IntoView {
    view! {
        <div class="brand">
            <span class="brand__mark" aria-hidden="true"></span>
            "DataPorter Hub"
        </div>
    }
}
