//! The app's routes.

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
use crate::pages::not_found::NotFoundPage;
use crate::pages::player_demo::PlayerDemo;

/// The app's root component.
#[component]
pub fn App() -> impl IntoView {
    let export_path = || Section::Export.path(i18n::preferred_locale());
    view! {
        <Router>
            <Routes fallback=move || view! { <Redirect path=export_path() /> }>
                <Route path=path!("/") view=move || view! { <Redirect path=export_path() /> } />
                <ParentRoute path=path!("/:locale") view=Hub>
                    <Route path=path!("admin/data-porter") view=ExportPage />
                    <Route path=path!("admin/data-porter/sync") view=SyncPage />
                    <Route path=path!("admin/data-porter/records") view=RecordsPage />
                    <Route path=path!("admin/data-porter/account") view=AccountPage />
                    <Route path=path!("admin/data-porter/*rest") view=NotFoundPage />
                    <Route path=path!("player-demo") view=PlayerDemo />
                </ParentRoute>
            </Routes>
        </Router>
    }
}
