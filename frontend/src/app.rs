//! The routes, and what every page needs around it.

use leptos::prelude::*;
use leptos_router::components::{ParentRoute, Redirect, Route, Router, Routes};
use leptos_router::path;

use crate::address::Section;
use crate::i18n;
use crate::pages::hub::Hub;
use crate::pages::hub::account::AccountPage;
use crate::pages::hub::export::ExportPage;
use crate::pages::hub::records::RecordsPage;
use crate::pages::hub::sync::SyncPage;
use crate::pages::no_page::NoPage;
use crate::pages::player_demo::PlayerDemo;

/// The whole app.
#[component]
pub fn App() -> impl IntoView {
    let start = || Section::Export.path(i18n::remembered());
    view! {
        <Router>
            <Routes fallback=move || view! { <Redirect path=start() /> }>
                <Route path=path!("/") view=move || view! { <Redirect path=start() /> } />
                <ParentRoute path=path!("/:locale") view=Hub>
                    <Route path=path!("admin/data-porter") view=ExportPage />
                    <Route path=path!("admin/data-porter/sync") view=SyncPage />
                    <Route path=path!("admin/data-porter/records") view=RecordsPage />
                    <Route path=path!("admin/data-porter/account") view=AccountPage />
                    <Route path=path!("admin/data-porter/*rest") view=NoPage />
                    <Route path=path!("player-demo") view=PlayerDemo />
                </ParentRoute>
            </Routes>
        </Router>
    }
}
