//! The data of a person, for admins: the download and the erasure.

use domain::ExportFormat;
use leptos::prelude::*;

use crate::address::ChosenLayout;
use crate::api::courses::MAX_MATCHES;
use crate::api::people::{EraseUserData, PersonArchive, Users, erase_user_data, link, users};
use crate::browser;
use crate::i18n::format::Format;
use crate::i18n::use_i18n;
use crate::pages::failed::Failed;
use crate::search::Search;
use crate::session::use_session;
use crate::ui::button::SubmitButton;
use crate::ui::combobox::{Combobox, ComboboxTexts, SearchResult};
use crate::ui::confirm::{ConfirmButton, ConfirmTexts};
use crate::ui::field::{Field, field_id};
use crate::ui::notice::{Notice, Tone};
use crate::ui::panel::Panel;
use crate::ui::segments::{Segment, Segments};

/// A selected person.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Person {
    id: String,
    name: String,
    /// Tells people with the same name apart.
    email: String,
}

impl Person {
    fn label(&self) -> String {
        format!("{} · {}", self.name, self.email)
    }
}

/// The panel.
#[component]
pub fn PersonData() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let person = RwSignal::new(None::<Person>);
    let format = RwSignal::new(ExportFormat::Csv);
    let download = Action::new_local(move |archive: &PersonArchive| {
        let request = link(archive);
        async move {
            let link = session.send(request).await?;
            browser::download(&link.url, &link.filename);
            Ok(link.filename)
        }
    });
    let failure = Signal::derive(move || download.value().get().and_then(Result::err));
    let started = Memo::new(move |_| download.value().get().and_then(Result::ok));
    // The message about the last archive does not apply to another person.
    Effect::new(move |_| {
        person.track();
        download.clear();
    });
    let formats = Signal::derive(|| {
        let named = |format: ExportFormat| Segment::new(format.key(), format.key().to_ascii_uppercase());
        ExportFormat::ALL.into_iter().map(named).collect::<Vec<_>>()
    });
    let archive = move || {
        let locale = i18n.locale();
        Some(PersonArchive {
            person: person.get_untracked()?.id,
            format: format.get_untracked(),
            layout: ChosenLayout::default().in_locale(locale),
            locale,
            timezone: session.timezone(),
        })
    };
    view! {
        <Panel title=Signal::derive(move || i18n.messages().person_data.title)>
            <p class="muted">{move || i18n.messages().person_data.lead}</p>
            <PersonField person />
            <form
                class="bar"
                on:submit=move |event| {
                    event.prevent_default();
                    if let Some(archive) = untrack(archive) {
                        download.dispatch(archive);
                    }
                }
            >
                <Segments
                    label=Signal::derive(move || i18n.messages().export.format)
                    segments=formats
                    selected=Signal::derive(move || format.get().key().to_owned())
                    on_select=move |key: String| format.set(ExportFormat::parse(&key).unwrap_or(ExportFormat::Csv))
                />
                <SubmitButton
                    busy=download.pending()
                    disabled=Signal::derive(move || person.with(Option::is_none))
                >
                    {move || {
                        let texts = i18n.messages();
                        if download.pending().get() { texts.export.preparing } else { texts.person_data.download }
                    }}
                </SubmitButton>
            </form>
            <Failed failure />
            {move || started.get().map(|file| view! {
                <Notice tone=Tone::Ok>{move || (i18n.messages().export.download_started)(&file)}</Notice>
            })}
            <Erase person />
        </Panel>
    }
}

/// The field in which the person is selected.
#[component]
fn PersonField(person: RwSignal<Option<Person>>) -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let id = field_id();
    let found = StoredValue::new(Vec::<SearchResult>::new());
    let Search { results, on_search } = Search::new(
        || (),
        move |text, ()| async move {
            let variables = users::Variables { search: Some(text), first: MAX_MATCHES };
            let response = session.run::<Users>(variables).await?;
            let result = |user: users::UsersUsersNodes| SearchResult {
                value: user.id,
                label: user.name,
                hint: Some(user.email),
            };
            let results: Vec<_> = response.users.nodes.into_iter().map(result).collect();
            found.set_value(results.clone());
            Ok(results)
        },
    );
    let texts = Signal::derive(move || {
        let texts = i18n.messages();
        ComboboxTexts {
            placeholder: texts.person_data.placeholder,
            clear: texts.person_data.clear.to_owned(),
            searching: texts.filters.searching,
            no_match: texts.filters.no_match,
            results: texts.filters.matches,
        }
    });
    let on_select = move |selected: Option<String>| {
        let found = found.get_value();
        let result = selected.and_then(|id| found.into_iter().find(|result| result.value == id));
        person.set(result.map(|SearchResult { value, label, hint }| Person {
            id: value,
            name: label,
            email: hint.unwrap_or_default(),
        }));
    };
    view! {
        <Field id=id.clone() label=Signal::derive(move || i18n.messages().person_data.person)>
            <Combobox
                id=id
                texts
                selected=Signal::derive(move || person.get().map(|person| person.label()))
                results
                on_search
                on_select
            />
        </Field>
    }
}

/// The button that erases the data of the selected person.
#[component]
fn Erase(person: RwSignal<Option<Person>>) -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let is_confirming = RwSignal::new(false);
    let erase = Action::new_local(move |selected: &Person| {
        let selected = selected.clone();
        async move {
            let label = selected.label();
            let variables = erase_user_data::Variables { id: selected.id };
            let rows = session.run::<EraseUserData>(variables).await?.erase_user_data;
            person.set(None);
            Ok((label, rows))
        }
    });
    // A confirmation is for one person.
    Effect::new(move |_| {
        if person.with(Option::is_some) {
            erase.clear();
        }
        is_confirming.set(false);
    });
    let failure = Signal::derive(move || erase.value().get().and_then(Result::err));
    let erased = Memo::new(move |_| erase.value().get().and_then(Result::ok));
    let texts = Signal::derive(move || {
        let texts = &i18n.messages().person_data;
        let label = person.get().map(|person| person.label()).unwrap_or_default();
        ConfirmTexts {
            action: texts.erase,
            full_action: if label.is_empty() { texts.erase.to_owned() } else { (texts.erase_of)(&label) },
            warning: (texts.erase_warning)(&label),
            confirm: texts.erase_confirm,
            cancel: texts.cancel,
        }
    });
    view! {
        <div>
            <ConfirmButton
                texts
                busy=erase.pending()
                disabled=Signal::derive(move || person.with(Option::is_none))
                is_confirming
                on_confirm=move |()| {
                    if let Some(person) = person.get_untracked() {
                        erase.dispatch(person);
                    }
                }
            />
        </div>
        <Failed failure />
        {move || erased.get().map(|(name, rows)| view! {
            <Notice tone=Tone::Ok>
                {move || {
                    let rows = Format::new(i18n.locale(), &session.timezone()).count(u64::try_from(rows).unwrap_or_default());
                    (i18n.messages().person_data.erased)(&name, &rows)
                }}
            </Notice>
        })}
    }
}
