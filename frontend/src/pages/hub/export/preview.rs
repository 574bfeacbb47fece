//! The first rows of what would be exported.

use domain::{Dataset, Grant};
use leptos::prelude::*;
use serde_json::Value;

use super::cells::{Writer, cell, set};
use super::state::{Loaded, Obstacle, use_export};
use crate::api::preview::{Preview, ROWS, camel_case};
use crate::i18n::format::Format;
use crate::i18n::{I18n, use_i18n};
use crate::pages::failed::Failed;
use crate::session::use_session;
use crate::ui::empty::Empty;
use crate::ui::table::{Cell, Column, Table, TableBones};

impl Writer for Format {
    fn number(&self, value: f64) -> String {
        Self::number(self, value)
    }
    fn moment(&self, rfc3339: &str) -> String {
        Self::moment(self, rfc3339)
    }
}

/// The rows, their bones while they are on their way, or what to do to see some.
#[component]
pub fn PreviewTable() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let state = use_export();
    let columns = move || state.dataset().map_or_else(Vec::new, |dataset| columns(dataset, i18n));
    let bones = move || {
        let label = i18n.messages().frame.loading;
        view! { <TableBones label=label columns=columns() rows=ROWS /> }
    };
    let empty = |title: fn(I18n) -> &'static str, help: fn(I18n) -> &'static str| {
        let i18n = use_i18n();
        let (title, help) = (Signal::derive(move || title(i18n)), Signal::derive(move || help(i18n)));
        view! { <Empty title help /> }.into_any()
    };
    let table = move |grant: &Grant, is_current: bool, preview: &Preview| {
        if preview.rows.is_empty() {
            return empty(|i18n| i18n.messages().export.no_rows, |i18n| i18n.messages().export.no_rows_help);
        }
        let dataset = grant.dataset();
        let format = Format::new(i18n.locale(), &session.timezone());
        let caption = (i18n.messages().export.preview)(i18n.text(dataset.describe().title));
        view! { <Table caption columns=columns() rows=cells(dataset, preview, &format) is_current /> }
            .into_any()
    };
    move || match state.grant() {
        Err(Obstacle::NoDataset) => ().into_any(),
        Err(Obstacle::Denied(_)) => empty(
            |i18n| i18n.messages().export.waiting_for_scope,
            |i18n| i18n.messages().export.waiting_for_scope_help,
        ),
        Err(Obstacle::Filters(_)) => empty(
            |i18n| i18n.messages().export.waiting_for_filters,
            |i18n| i18n.messages().export.waiting_for_filters_help,
        ),
        Ok(grant) => match state.loaded() {
            None => bones().into_any(),
            Some(Loaded { grant: of, rows: Ok(preview) }) => table(&grant, of == grant, &preview),
            Some(Loaded { rows: Err(failure), .. }) => view! {
                <Failed failure=Signal::derive(move || Some(failure.clone())) />
                <div>
                    <button
                        type="button"
                        class="button button--quiet"
                        on:click=move |_| state.reload()
                    >
                        {move || i18n.messages().frame.retry}
                    </button>
                </div>
            }
            .into_any(),
        },
    }
}

/// A dataset's columns, in the page's language.
fn columns(dataset: Dataset, i18n: I18n) -> Vec<Column> {
    let column = |column: &domain::dataset::Column| Column {
        title: i18n.text(column.title).to_owned(),
        set: set(column.kind),
    };
    dataset.describe().columns.iter().map(column).collect()
}

/// The cells of the rows, in the order of the dataset's columns.
fn cells(dataset: Dataset, preview: &Preview, format: &Format) -> Vec<Vec<Cell>> {
    let words = &crate::i18n::messages(format.locale()).frame;
    let row = |row: &serde_json::Map<String, Value>| -> Vec<Cell> {
        let columns = dataset.describe().columns.iter();
        columns.map(|column| cell(row.get(&camel_case(column.key))?, column.kind, format, words)).collect()
    };
    preview.rows.iter().map(row).collect()
}
