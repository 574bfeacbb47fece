//! The list of reported events, newest first, with their states.

use leptos::ev;
use leptos::prelude::*;

use crate::browser;
use crate::i18n::messages::Player;
use crate::i18n::use_i18n;
use crate::player::{EventState, EventUpdate};
use crate::ui::empty::Empty;
use crate::ui::notice::{Notice, Tone};

/// Maximum number of events in the list. Pending events are never removed.
const MAX_EVENTS: usize = 50;

/// The reported events.
#[derive(Clone, Copy)]
pub struct Reported {
    events: RwSignal<Vec<Event>>,
    /// Whether the browser reports that it has no network.
    is_offline: RwSignal<bool>,
}

#[derive(Clone)]
struct Event {
    id: String,
    name: String,
    seconds: u32,
    state: ArcRwSignal<EventState>,
}

impl Reported {
    /// An empty list, which starts to track the network's state.
    pub fn new() -> Self {
        let reported = Self { events: RwSignal::default(), is_offline: RwSignal::new(!browser::is_online()) };
        let listeners = [
            window_event_listener(ev::offline, move |_| reported.is_offline.set(true)),
            window_event_listener(ev::online, move |_| reported.is_offline.set(false)),
        ];
        on_cleanup(move || listeners.into_iter().for_each(WindowListenerHandle::remove));
        reported
    }

    /// Adds an event or updates its state. Does nothing once the list is disposed of.
    pub fn apply(self, update: EventUpdate) {
        let EventUpdate { id, event, seconds, state } = update;
        if state == EventState::Recorded {
            // The hub was reached, whatever the browser reports.
            self.is_offline.try_set(false);
        }
        let find_state =
            |events: &Vec<Event>| events.iter().find(|event| event.id == id).map(|event| event.state.clone());
        if let Some(known_state) = self.events.try_with_untracked(find_state).flatten() {
            known_state.set(state);
            return;
        }
        self.events.try_update(|events| {
            events.insert(0, Event { id, name: event, seconds, state: ArcRwSignal::new(state) });
            if events.len() > MAX_EVENTS
                && let Some(finished) =
                    events.iter().rposition(|event| !event.state.get_untracked().is_pending())
            {
                events.remove(finished);
            }
        });
    }

    fn pending(self) -> usize {
        self.events.with(|events| events.iter().filter(|event| event.state.get().is_pending()).count())
    }

    /// Whether the hub seems to be unreachable.
    fn is_disconnected(self) -> bool {
        let is_retrying = |event: &Event| event.state.get() == EventState::Retrying;
        self.is_offline.get() || self.events.with(|events| events.iter().any(is_retrying))
    }
}

/// The list.
#[component]
pub fn ReportedEvents(reported: Reported) -> impl IntoView {
    let i18n = use_i18n();
    let is_disconnected = Memo::new(move |_| reported.is_disconnected());
    let is_empty = Memo::new(move |_| reported.events.with(Vec::is_empty));
    let pending = Memo::new(move |_| reported.pending());
    let disconnected_notice = move || {
        let texts = &i18n.messages().player;
        is_disconnected
            .get()
            .then(|| view! { <Notice tone=Tone::Warn help=texts.offline_help>{texts.offline}</Notice> })
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
        {disconnected_notice}
        <Show when=move || is_empty.get()>
            <Empty
                title=Signal::derive(move || i18n.messages().player.none.to_owned())
                help=Signal::derive(move || i18n.messages().player.none_help)
            />
        </Show>
        <Show when=move || !is_empty.get()>
            <p class="muted">{move || (i18n.messages().player.pending)(pending.get())}</p>
            <div class="table" tabindex="0" role="region" aria-label=move || i18n.messages().player.reported aria-busy="false">
                <table>
                    <caption class="visually-hidden">{move || i18n.messages().player.reported}</caption>
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

fn tag(texts: &Player, state: EventState) -> impl IntoView + use<> {
    let (class, text) = match state {
        EventState::Waiting => ("tag", texts.waiting),
        EventState::Retrying => ("tag tag--warn", texts.retrying),
        EventState::Recorded => ("tag tag--ok", texts.recorded),
        EventState::Rejected => ("tag tag--bad", texts.rejected),
    };
    view! { <span class=class>{text}</span> }
}
