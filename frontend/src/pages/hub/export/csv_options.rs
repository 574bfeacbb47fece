//! The options of a CSV file.

use domain::Locale;
use domain::format::{Bom, Decimal, Delimiter, Headers};
use leptos::prelude::*;

use super::state::use_export;
use crate::i18n::messages::Export;
use crate::i18n::use_i18n;
use crate::ui::field::{Field, field_id};
use crate::ui::select::{Choice, Select};

/// The options, collapsed by default.
#[component]
pub fn CsvOptions() -> impl IntoView {
    let i18n = use_i18n();
    let state = use_export();
    let layout = Memo::new(move |_| state.page().layout.in_locale(i18n.locale()));
    // What the language's spreadsheets expect comes first.
    let in_order = move |mut choices: Vec<Choice>| {
        if i18n.locale() == Locale::Es {
            choices.reverse();
        }
        choices
    };
    view! {
        <details class="options">
            <summary class="options__summary">{move || i18n.messages().export.csv_options}</summary>
            <div class="options__fields">
                <LayoutOption
                    label=|texts| texts.headers
                    choices=|texts| {
                        vec![
                            Choice::new(Headers::Labels.key(), texts.headers_labels),
                            Choice::new(Headers::Keys.key(), texts.headers_keys),
                        ]
                    }
                    selected=Signal::derive(move || layout.get().headers.key().to_owned())
                    on_select=move |value: String| {
                        state.change(|page| page.layout.headers = Headers::parse(&value).unwrap_or_default());
                    }
                />
                <LayoutOption
                    label=|texts| texts.delimiter
                    choices=move |texts| {
                        in_order(vec![
                            Choice::new(",", texts.delimiter_comma),
                            Choice::new(";", texts.delimiter_semicolon),
                        ])
                    }
                    selected=Signal::derive(move || layout.get().delimiter.character().to_string())
                    on_select=move |value: String| {
                        state.change(|page| page.layout.delimiter = Delimiter::parse(&value));
                    }
                />
                <LayoutOption
                    label=|texts| texts.decimal
                    choices=move |texts| {
                        in_order(vec![
                            Choice::new(".", texts.decimal_point),
                            Choice::new(",", texts.decimal_comma),
                        ])
                    }
                    selected=Signal::derive(move || layout.get().decimal.character().to_string())
                    on_select=move |value: String| {
                        state.change(|page| page.layout.decimal = Decimal::parse(&value));
                    }
                />
                <label class="check">
                    <input
                        type="checkbox"
                        prop:checked=move || layout.get().bom == Bom::With
                        on:change:target=move |event| {
                            let bom = if event.target().checked() { Bom::With } else { Bom::Without };
                            state.change(|page| page.layout.bom = bom);
                        }
                    />
                    {move || i18n.messages().export.bom}
                </label>
            </div>
        </details>
    }
}

/// An option with its choices.
#[component]
fn LayoutOption(
    label: fn(&Export) -> &'static str,
    choices: impl Fn(&Export) -> Vec<Choice> + Copy + Send + Sync + 'static,
    selected: Signal<String>,
    #[prop(into)] on_select: Callback<String>,
) -> impl IntoView {
    let i18n = use_i18n();
    let id = field_id();
    view! {
        <Field id=id.clone() label=Signal::derive(move || label(&i18n.messages().export))>
            <Select id choices=Signal::derive(move || choices(&i18n.messages().export)) selected on_select />
        </Field>
    }
}
