//! The date filter: presets and a custom period.

use domain::dataset::FilterKey;
use leptos::prelude::*;

use super::state::use_export;
use crate::address::dates::Dates;
use crate::i18n::messages::Filters;
use crate::i18n::use_i18n;
use crate::ui::field::{Field, description_id, field_id};
use crate::ui::select::{Choice, Select};

/// The filter.
#[component]
pub fn DateFilter() -> impl IntoView {
    let i18n = use_i18n();
    let state = use_export();
    let id = field_id();
    let selected = Memo::new(move |_| state.page().dates.key().to_owned());
    let choices = Signal::derive(move || {
        let texts = &i18n.messages().filters;
        Dates::options().iter().map(|dates| Choice::new(dates.key(), name(dates, texts))).collect::<Vec<_>>()
    });
    let choose = move |key: String| {
        state.change(|page| page.dates = Dates::parse(&key).unwrap_or_default());
    };
    let zone = move || {
        let is_dated = state.page().dates != Dates::All;
        let zone = state.differing_hub_zone().filter(|_| is_dated)?;
        Some((i18n.messages().filters.dates_zone)(&zone))
    };
    view! {
        <Field
            id=id.clone()
            label=Signal::derive(move || i18n.messages().filters.dates)
            hint=Signal::derive(zone)
        >
            <Select id choices selected on_select=choose />
        </Field>
        <Show when=move || matches!(state.page().dates, Dates::Custom { .. })>
            <div class="filters__range">
                <Day key=FilterKey::DATE_FROM />
                <Day key=FilterKey::DATE_TO />
            </div>
        </Show>
    }
}

/// The start or the end of a custom period.
#[component]
fn Day(key: FilterKey) -> impl IntoView {
    let i18n = use_i18n();
    let state = use_export();
    let id = field_id();
    let is_start = key == FilterKey::DATE_FROM;
    let value = move || match state.page().dates {
        Dates::Custom { from, to } => {
            if is_start {
                from
            } else {
                to
            }
        }
        Dates::All | Dates::Today | Dates::Last7Days | Dates::Last30Days | Dates::ThisMonth => String::new(),
    };
    let change = move |day: String| {
        state.change(|page| {
            if let Dates::Custom { from, to } = &mut page.dates {
                *(if is_start { from } else { to }) = day;
            }
        });
    };
    let problem = move || state.problem(key);
    view! {
        <Field id=id.clone() label=Signal::derive(move || i18n.text(key.title())) error=Signal::derive(problem)>
            <input
                id=id.clone()
                class="field__control"
                type="date"
                aria-describedby=description_id(&id)
                aria-invalid=move || problem().is_some().to_string()
                prop:value=value
                on:change:target=move |event| change(event.target().value())
            />
        </Field>
    }
}

fn name(dates: &Dates, texts: &Filters) -> &'static str {
    match dates {
        Dates::All => texts.dates_all,
        Dates::Today => texts.dates_today,
        Dates::Last7Days => texts.dates_last_7,
        Dates::Last30Days => texts.dates_last_30,
        Dates::ThisMonth => texts.dates_this_month,
        Dates::Custom { .. } => texts.dates_custom,
    }
}
