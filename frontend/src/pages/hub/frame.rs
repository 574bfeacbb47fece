//! The frame around every page: the navigation and the signed-in user. On a phone, the navigation is at the
//! bottom.

use domain::access::Act;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::last_export::LastExport;
use super::sync::feed::SyncFeed;
use crate::address::Section;
use crate::i18n::use_i18n;
use crate::pages::failed::Failed;
use crate::pages::preferences::Preferences;
use crate::session::use_session;
use crate::ui::brand::Brand;
use crate::ui::button::{ActionButton, Variant};

/// A page in its frame.
#[component]
pub fn Frame(
    /// The page.
    children: Children,
) -> impl IntoView {
    let i18n = use_i18n();
    SyncFeed::provide();
    view! {
        <a class="skip" href="#content" rel="external">
            {move || i18n.messages().frame.skip}
        </a>
        <div class="frame">
            <nav class="nav" aria-label=move || i18n.messages().frame.sections>
                <Brand />
                <Sections />
                <UserPanel />
            </nav>
            <main class="page" id="content" tabindex="-1">
                {children()}
            </main>
        </div>
    }
}

/// Links to the sections that the user may see.
#[component]
fn Sections() -> impl IntoView {
    let last_export = expect_context::<LastExport>();
    let i18n = use_i18n();
    let session = use_session();
    let current = use_location().pathname;
    let link = move |section: Section| {
        let label = move || {
            let texts = i18n.messages();
            match section {
                Section::Export => texts.export.title,
                Section::Sync => texts.sync.title,
                Section::Records => texts.records.title,
                Section::Account => texts.account.title,
            }
        };
        let path = move || {
            let path = section.path(i18n.locale());
            match section {
                Section::Export => last_export.address(path),
                Section::Sync | Section::Records | Section::Account => path,
            }
        };
        view! {
            <li>
                <a
                    href=path
                    class="nav__link"
                    aria-current=move || current.with(|path| (Section::at(path) == Some(section)).then_some("page"))
                >
                    {label}
                </a>
            </li>
        }
    };
    let may_see_sync = Memo::new(move |_| session.may(Act::SeeSync));
    let may_audit = Memo::new(move |_| session.may(Act::Audit));
    view! {
        <ul class="nav__sections">
            {link(Section::Export)}
            <Show when=move || may_see_sync.get()>{link(Section::Sync)}</Show>
            <Show when=move || may_audit.get()>{link(Section::Records)}</Show>
            {link(Section::Account)}
        </ul>
    }
}

/// The signed-in user, with the language and theme switches. On a phone, the account page has them instead.
#[component]
fn UserPanel() -> impl IntoView {
    let session = use_session();
    let name = move || session.user().map(|user| user.name);
    let zone = move || session.user().map(|user| user.timezone);
    view! {
        <div class="nav__user">
            <div>
                <p class="nav__name">{name}</p>
                <p class="muted">{zone}</p>
            </div>
            <Preferences />
            <SignOut />
        </div>
    }
}

/// The sign-out button.
#[component]
pub fn SignOut() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let sign_out = Action::new_local(move |(): &()| session.sign_out());
    let failure = Signal::derive(move || sign_out.value().get().and_then(Result::err));
    view! {
        <ActionButton
            variant=Variant::Small
            busy=sign_out.pending()
            on_press=move |()| {
                sign_out.dispatch(());
            }
        >
            {move || i18n.messages().frame.sign_out}
        </ActionButton>
        <Failed failure />
    }
}
