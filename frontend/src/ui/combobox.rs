//! A text field that searches and offers what it finds: the combobox with a list of the ARIA Authoring Practices.
//!
//! The field shows what is chosen; while somebody types, what they type. Leaving it without choosing changes nothing,
//! but leaving it empty takes the choice away.

mod list;
mod movement;

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;

use super::field::{label_id, words_id};
use list::List;
use movement::{Movement, movement};

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Match {
    /// What it is chosen by.
    pub value: String,
    /// Its name.
    pub label: String,
    /// What tells it apart from others of the same name.
    pub hint: Option<String>,
}

/// How a search stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matches {
    /// Under way.
    Searching,
    /// Done.
    Found(Vec<Match>),
    /// Failed, and why.
    Failed(String),
}

/// What the combobox says.
#[derive(Clone, Debug)]
pub struct Words {
    /// In the field, when nothing is chosen.
    pub placeholder: &'static str,
    /// The button that takes the choice away.
    pub clear: String,
    /// While a search is under way.
    pub searching: &'static str,
    /// When nothing was found.
    pub no_match: &'static str,
    /// How many were found.
    pub matches: fn(usize) -> String,
}

/// The combobox; its label is the `Field` around it.
#[component]
pub fn Combobox(
    /// The control's id.
    id: String,
    /// What it says.
    #[prop(into)]
    words: Signal<Words>,
    /// The name of what is chosen.
    #[prop(into)]
    chosen: Signal<Option<String>>,
    /// How the search stands.
    #[prop(into)]
    matches: Signal<Matches>,
    /// Whether what is chosen is not accepted.
    #[prop(optional, into)]
    is_wrong: Signal<bool>,
    /// Called with what is typed.
    #[prop(into)]
    on_search: Callback<String>,
    /// Called with the value that was chosen, or with `None` when the choice was taken away.
    #[prop(into)]
    on_choose: Callback<Option<String>>,
) -> impl IntoView {
    let typed = RwSignal::new(None::<String>);
    let open = RwSignal::new(false);
    let active = RwSignal::new(None::<usize>);
    let field = NodeRef::<html::Input>::new();
    let list_id = format!("{id}-list");
    let option_id = Callback::new({
        let id = id.clone();
        move |index: usize| format!("{id}-option-{index}")
    });

    // Another list has something else in the place that was reached in the old one.
    let list = Memo::new(move |_| matches.get());
    Effect::new(move |_| {
        list.track();
        active.set(None);
    });
    let unfold = move |text: String| {
        active.set(None);
        open.set(true);
        on_search.run(text);
    };
    let fold = move || {
        open.set(false);
        typed.set(None);
    };
    let choose = Callback::new(move |value: Option<String>| {
        fold();
        on_choose.run(value);
    });
    let found = move |index: usize| match matches.get_untracked() {
        Matches::Found(found) => found.get(index).map(|found| found.value.clone()),
        Matches::Searching | Matches::Failed(_) => None,
    };
    let count = move || match matches.get_untracked() {
        Matches::Found(found) => found.len(),
        Matches::Searching | Matches::Failed(_) => 0,
    };
    let on_key = move |event: KeyboardEvent| {
        let Some(movement) = movement(&event.key(), open.get_untracked(), active.get_untracked(), count())
        else {
            return;
        };
        event.prevent_default();
        match movement {
            Movement::Open => unfold(String::new()),
            Movement::To(index) => active.set(Some(index)),
            Movement::Choose(index) => {
                if let Some(value) = found(index) {
                    choose.run(Some(value));
                }
            }
            Movement::Close => fold(),
        }
    };
    let on_leave = move |_| {
        let emptied = typed.get_untracked().is_some_and(|text| text.is_empty());
        if emptied { choose.run(None) } else { fold() }
    };
    let clear = move |_| {
        choose.run(None);
        if let Some(field) = field.get() {
            // A field that cannot take the focus leaves it where it is.
            drop(field.focus());
        }
    };
    view! {
        <div class="combobox">
            <input
                id=id.clone()
                node_ref=field
                class="field__control combobox__input"
                type="text"
                role="combobox"
                autocomplete="off"
                spellcheck="false"
                aria-autocomplete="list"
                aria-expanded=move || open.get().to_string()
                aria-controls=list_id.clone()
                aria-activedescendant=move || active.get().filter(|_| open.get()).map(|at| option_id.run(at))
                aria-describedby=words_id(&id)
                aria-invalid=move || is_wrong.get().to_string()
                placeholder=move || words.get().placeholder
                prop:value=move || typed.get().or_else(|| chosen.get()).unwrap_or_default()
                on:input:target=move |event| {
                    typed.set(Some(event.target().value()));
                    unfold(event.target().value());
                }
                on:click=move |_| if !open.get_untracked() { unfold(String::new()) }
                on:keydown=on_key
                on:blur=on_leave
            />
            <Show when=move || chosen.get().is_some()>
                <button type="button" class="combobox__clear" aria-label=move || words.get().clear on:click=clear>
                    "×"
                </button>
            </Show>
            <List id=list_id label=label_id(&id) open words matches active option_id choose />
        </div>
    }
}
