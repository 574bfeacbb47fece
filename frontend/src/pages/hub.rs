//! The Hub: language and session for its pages, the sign-in before them, and the frame around them.

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
use super::heading::Arrived;
use super::sign_in::SignIn;
use crate::address::in_language;
use crate::i18n::{self, I18n};
use crate::session::{Session, Standing};
use crate::theme::ChosenTheme;
use frame::Frame;
use last_export::LastExport;

/// What surrounds every page: nobody sees one before signing in.
#[component]
pub fn Hub() -> impl IntoView {
    let params = use_params_map();
    let tag = Memo::new(move |_| params.with(|params| params.get("locale").unwrap_or_default()));
    let known = Memo::new(move |_| Locale::ALL.into_iter().find(|locale| tag.get() == locale.tag()));
    let locale = Signal::derive(move || known.get().unwrap_or_else(i18n::remembered));
    let i18n = I18n::provide(locale);
    let session = Session::provide(locale);
    Arrived::provide();
    ChosenTheme::provide();
    LastExport::provide();

    let (navigate, location) = (use_navigate(), use_location());
    Effect::new(move |_| {
        if known.get().is_none() {
            let address = in_language(&location.pathname.get(), &location.search.get(), i18n::remembered());
            navigate(&address, NavigateOptions { replace: true, ..NavigateOptions::default() });
        }
    });

    let restore = Action::new_local(move |(): &()| session.restore());
    // Only who is signed in decides what is built; a change of their time zone rebuilds nothing.
    let signed_in = Memo::new(move |_| session.person().map(|person| person.viewer.user_id));
    let standing = Memo::new(move |_| session.standing());
    move || {
        if signed_in.get().is_some() {
            return view! { <Frame><Outlet /></Frame> }.into_any();
        }
        match standing.get() {
            Standing::SignedOut(ending) => view! { <SignIn ending=ending /> }.into_any(),
            Standing::Unknown(failure) => {
                let failure = Signal::derive(move || Some(failure.clone()));
                view! {
                    <main class="door">
                        <div class="door__card">
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
            Standing::Checking | Standing::SignedIn(_) => view! {
                <div class="splash" role="status">
                    <span class="unseen">{move || i18n.messages().frame.loading}</span>
                </div>
            }
            .into_any(),
        }
    }
}
