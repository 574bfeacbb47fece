//! The frame around every page: sections at the side (below, on a phone), and who is signed in.

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
use crate::ui::button::{ActionButton, Look};

/// The frame with a page in it.
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
                <Who />
            </nav>
            <main class="page" id="content" tabindex="-1">
                {children()}
            </main>
        </div>
    }
}

/// The sections that the person may see.
#[component]
fn Sections() -> impl IntoView {
    let last_export = expect_context::<LastExport>();
    let i18n = use_i18n();
    let session = use_session();
    let current = use_location().pathname;
    let link = move |section: Section| {
        let label = move || {
            let words = i18n.messages();
            match section {
                Section::Export => words.export.title,
                Section::Sync => words.sync.title,
                Section::Records => words.records.title,
                Section::Account => words.account.title,
            }
        };
        let path = move || {
            let path = section.path(i18n.locale());
            match section {
                Section::Export => last_export.continued(path),
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

/// Who is signed in, with the switches that are always at hand; on a phone they are on the account page.
#[component]
fn Who() -> impl IntoView {
    let session = use_session();
    let name = move || session.person().map(|person| person.name);
    let zone = move || session.person().map(|person| person.timezone);
    view! {
        <div class="nav__who">
            <div>
                <p class="nav__name">{name}</p>
                <p class="soft">{zone}</p>
            </div>
            <Preferences />
            <SignOut />
        </div>
    }
}

/// Signs out.
#[component]
pub fn SignOut() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let sign_out = Action::new_local(move |(): &()| session.sign_out());
    let failure = Signal::derive(move || sign_out.value().get().and_then(Result::err));
    view! {
        <ActionButton
            look=Look::Small
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
