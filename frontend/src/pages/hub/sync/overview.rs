//! The status cards at the top of a page.

use domain::access::Act;
use leptos::prelude::*;

use super::announcer::Announcer;
use super::connection::ConnectionNote;
use super::driver_card::DriverCard;
use super::feed::use_feed;
use super::last_card::LastCard;
use super::pending_card::PendingCard;
use crate::api::sync::report::Driver;
use crate::i18n::use_i18n;
use crate::live::ConnectionState;
use crate::session::use_session;

/// The cards, for users who may see the sync.
#[component]
pub fn Overview() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let feed = use_feed();
    let may_see = Memo::new(move |_| session.may(Act::SeeSync));
    let is_stale = move || matches!(feed.live.state(), ConnectionState::Disconnected(_));
    view! {
        <Show when=move || may_see.get()>
            <ConnectionNote />
            <section
                class="status-cards"
                class:status-cards--stale=is_stale
                aria-label=move || i18n.messages().sync.overview
            >
                <PendingCard />
                <LastCard />
                <DriverCard driver=Driver::Ga4 />
                <DriverCard driver=Driver::Mixpanel />
            </section>
            <Announcer />
        </Show>
    }
}
