//! How a CSV file is laid out.

use domain::format::{Bom, Decimal, Delimiter, Headers};
use leptos::prelude::*;

use super::state::use_export;
use crate::i18n::messages::Export;
use crate::i18n::use_i18n;
use crate::ui::field::{Field, field_id};
use crate::ui::select::{Choice, Select};

/// The options, folded away until somebody needs them.
#[component]
pub fn CsvOptions() -> impl IntoView {
    let i18n = use_i18n();
    let state = use_export();
    let layout = Memo::new(move |_| state.page().layout);
    view! {
        <details class="options">
            <summary class="options__summary">{move || i18n.messages().export.csv_options}</summary>
            <div class="options__fields">
                <LayoutOption
                    label=|words| words.headers
                    choices=|words| {
                        vec![
                            Choice::new(Headers::Labels.key(), words.headers_labels),
                            Choice::new(Headers::Keys.key(), words.headers_keys),
                        ]
                    }
                    chosen=Signal::derive(move || layout.get().headers.key().to_owned())
                    on_choose=move |value: String| {
                        state.change(|page| page.layout.headers = Headers::parse(&value).unwrap_or_default());
                    }
                />
                <LayoutOption
                    label=|words| words.delimiter
                    choices=|words| {
                        vec![Choice::new(",", words.delimiter_comma), Choice::new(";", words.delimiter_semicolon)]
                    }
                    chosen=Signal::derive(move || layout.get().delimiter.character().to_string())
                    on_choose=move |value: String| {
                        state.change(|page| page.layout.delimiter = Delimiter::parse(&value).unwrap_or_default());
                    }
                />
                <LayoutOption
                    label=|words| words.decimal
                    choices=|words| {
                        vec![Choice::new(".", words.decimal_point), Choice::new(",", words.decimal_comma)]
                    }
                    chosen=Signal::derive(move || layout.get().decimal.character().to_string())
                    on_choose=move |value: String| {
                        state.change(|page| page.layout.decimal = Decimal::parse(&value).unwrap_or_default());
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

/// One option with its choices.
#[component]
fn LayoutOption(
    label: fn(&Export) -> &'static str,
    choices: fn(&Export) -> Vec<Choice>,
    chosen: Signal<String>,
    #[prop(into)] on_choose: Callback<String>,
) -> impl IntoView {
    let i18n = use_i18n();
    let id = field_id();
    view! {
        <Field id=id.clone() label=Signal::derive(move || label(&i18n.messages().export))>
            <Select id choices=Signal::derive(move || choices(&i18n.messages().export)) chosen on_choose />
        </Field>
    }
}
