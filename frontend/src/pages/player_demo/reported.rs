//! What was reported, newest first, and what the hub said to it.

use leptos::ev;
use leptos::prelude::*;

use crate::browser;
use crate::i18n::messages::Player;
use crate::i18n::use_i18n;
use crate::player::{News, State};
use crate::ui::empty::Empty;
use crate::ui::notice::{Notice, Tone};

/// How many events are shown that are done with.
const SHOWN: usize = 50;

/// The events that were reported.
#[derive(Clone, Copy)]
pub struct Reported {
    events: RwSignal<Vec<Event>>,
    /// Whether the browser says that it has no network.
    is_offline: RwSignal<bool>,
}

#[derive(Clone)]
struct Event {
    id: String,
    name: String,
    seconds: u32,
    state: ArcRwSignal<State>,
}

impl Reported {
    /// None yet.
    pub fn new() -> Self {
        let reported = Self { events: RwSignal::default(), is_offline: RwSignal::new(!browser::is_online()) };
        let watch = [
            window_event_listener(ev::offline, move |_| reported.is_offline.set(true)),
            window_event_listener(ev::online, move |_| reported.is_offline.set(false)),
        ];
        on_cleanup(move || watch.into_iter().for_each(WindowListenerHandle::remove));
        reported
    }

    /// Takes in what became of an event; nothing once nobody looks at the list any more.
    pub fn take(self, news: News) {
        let News { id, event, seconds, state } = news;
        if state == State::Recorded {
            // Whatever the browser says: the hub was reached.
            self.is_offline.try_set(false);
        }
        let known =
            |events: &Vec<Event>| events.iter().find(|event| event.id == id).map(|event| event.state.clone());
        if let Some(before) = self.events.try_with_untracked(known).flatten() {
            before.set(state);
            return;
        }
        self.events.try_update(|events| {
            events.insert(0, Event { id, name: event, seconds, state: ArcRwSignal::new(state) });
            if events.len() > SHOWN
                && let Some(done) = events.iter().rposition(|event| !event.state.get_untracked().is_owed())
            {
                events.remove(done);
            }
        });
    }

    fn owed(self) -> usize {
        self.events.with(|events| events.iter().filter(|event| event.state.get().is_owed()).count())
    }

    /// Whether the hub cannot be reached, as far as can be told from here.
    fn is_cut_off(self) -> bool {
        let is_sent_in_vain = |event: &Event| event.state.get() == State::Again;
        self.is_offline.get() || self.events.with(|events| events.iter().any(is_sent_in_vain))
    }
}

/// The list.
#[component]
pub fn ReportedEvents(
    /// What is listed.
    reported: Reported,
) -> impl IntoView {
    let i18n = use_i18n();
    let is_cut_off = Memo::new(move |_| reported.is_cut_off());
    let is_empty = Memo::new(move |_| reported.events.with(Vec::is_empty));
    let owed = Memo::new(move |_| reported.owed());
    let cut_off = move || {
        let words = &i18n.messages().player;
        is_cut_off
            .get()
            .then(|| view! { <Notice tone=Tone::Warn help=words.offline_help>{words.offline}</Notice> })
    };
    let row = move |event: Event| {
        let Event { id: _, name, seconds, state } = event;
        view! {
            <tr>
                <td>{name}</td>
                <td class="table__cell--number">{format!("{}:{:02}", seconds / 60, seconds % 60)}</td>
                <td>{move || tag(&i18n.messages().player, state.get())}</td>
            </tr>
        }
    };
    view! {
        {cut_off}
        <Show when=move || is_empty.get()>
            <Empty
                title=Signal::derive(move || i18n.messages().player.none.to_owned())
                help=Signal::derive(move || i18n.messages().player.none_help)
            />
        </Show>
        <Show when=move || !is_empty.get()>
            <p class="soft">{move || (i18n.messages().player.owed)(owed.get())}</p>
            <div class="table" tabindex="0" role="region" aria-label=move || i18n.messages().player.reported aria-busy="false">
                <table>
                    <caption class="unseen">{move || i18n.messages().player.reported}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{move || i18n.messages().player.event}</th>
                            <th scope="col" class="table__cell--number">{move || i18n.messages().player.position}</th>
                            <th scope="col">{move || i18n.messages().player.state}</th>
                        </tr>
                    </thead>
                    <tbody>
                        <For each=move || reported.events.get() key=|event| event.id.clone() children=row />
                    </tbody>
                </table>
            </div>
        </Show>
    }
}

fn tag(words: &Player, state: State) -> impl IntoView + use<> {
    let (class, text) = match state {
        State::Waiting => ("tag", words.waiting),
        State::Again => ("tag tag--warn", words.again),
        State::Recorded => ("tag tag--ok", words.recorded),
        State::Rejected => ("tag tag--bad", words.rejected),
    };
    view! { <span class=class>{text}</span> }
}
