//! The Hub: provides language and session to its pages, and shows the sign-in page or a page in its frame.

pub mod account;
pub mod export;
mod frame;
mod last_export;
pub mod records;
pub mod sync;

use domain::Locale;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::components::Outlet;
use leptos_router::hooks::{use_location, use_navigate, use_params_map};

use super::failed::Failed;
use super::heading::HasShownPage;
use super::sign_in::SignIn;
use crate::address::in_language;
use crate::i18n::{self, I18n};
use crate::session::{AuthState, Session};
use crate::theme::SelectedTheme;
use frame::Frame;
use last_export::LastExport;

/// The layout of every page. No page is shown before sign-in.
#[component]
pub fn Hub() -> impl IntoView {
    let params = use_params_map();
    let locale_tag = Memo::new(move |_| params.with(|params| params.get("locale").unwrap_or_default()));
    let path_locale =
        Memo::new(move |_| Locale::ALL.into_iter().find(|locale| locale_tag.get() == locale.tag()));
    let locale = Signal::derive(move || path_locale.get().unwrap_or_else(i18n::preferred_locale));
    let i18n = I18n::provide(locale);
    let session = Session::provide(locale);
    HasShownPage::provide();
    SelectedTheme::provide();
    LastExport::provide();

    let (navigate, location) = (use_navigate(), use_location());
    Effect::new(move |_| {
        if path_locale.get().is_none() {
            let address =
                in_language(&location.pathname.get(), &location.search.get(), i18n::preferred_locale());
            navigate(&address, NavigateOptions { replace: true, ..NavigateOptions::default() });
        }
    });

    let restore = Action::new_local(move |(): &()| session.restore());
    // The page is rendered again only if another user signs in, and not if the user's time zone changes.
    let signed_in = Memo::new(move |_| session.user().map(|user| user.viewer.user_id));
    let auth_state = Memo::new(move |_| session.auth_state());
    move || {
        if signed_in.get().is_some() {
            return view! { <Frame><Outlet /></Frame> }.into_any();
        }
        match auth_state.get() {
            AuthState::SignedOut(reason) => view! { <SignIn reason=reason /> }.into_any(),
            AuthState::Unknown(failure) => {
                let failure = Signal::derive(move || Some(failure.clone()));
                view! {
                    <main class="sign-in">
                        <div class="sign-in__card">
                            <Failed
                                failure=failure
                                on_retry=move |()| {
                                    restore.dispatch(());
                                }
                                busy=restore.pending()
                            />
                        </div>
                    </main>
                }
                .into_any()
            }
            AuthState::Checking | AuthState::SignedIn(_) => view! {
                <div class="splash" role="status">
                    <span class="visually-hidden">{move || i18n.messages().frame.loading}</span>
                </div>
            }
            .into_any(),
        }
    }
}
