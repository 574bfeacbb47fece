//! The first rows of what would be exported.

use domain::access::Denied;
use domain::filter::FilterKey;
use domain::{Dataset, Grant};
use leptos::prelude::*;
use serde_json::Value;

use super::cells::{Writer, cell, set};
use super::state::{Obstacle, Rows, use_export};
use crate::api::preview::{Preview, ROWS, camel_case};
use crate::i18n::format::Format;
use crate::i18n::{I18n, use_i18n};
use crate::pages::failed::Failed;
use crate::session::use_session;
use crate::ui::empty::Empty;
use crate::ui::table::{Age, Cell, Column, Table, TableBones};

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
        let (title, help) =
            (Signal::derive(move || title(i18n).to_owned()), Signal::derive(move || help(i18n)));
        view! { <Empty title help /> }.into_any()
    };
    let table = move |grant: &Grant, age: Age, preview: &Preview| {
        if preview.rows.is_empty() {
            return empty(|i18n| i18n.messages().export.no_rows, |i18n| i18n.messages().export.no_rows_help);
        }
        let dataset = grant.dataset();
        let format = Format::new(i18n.locale(), &session.timezone());
        let caption = (i18n.messages().export.preview)(i18n.text(dataset.describe().title));
        view! { <Table caption columns=columns() rows=cells(dataset, preview, &format) age /> }.into_any()
    };
    // While it is being tried again, what failed stays, and the button with the focus on it.
    let failure = Memo::new(move |_| match state.rows() {
        Rows::Failed(failure) => Some(failure),
        Rows::Awaited | Rows::Old(_) | Rows::Here(_) => None,
    });
    let rows = move || match state.grant() {
        Err(Obstacle::NoDataset) => ().into_any(),
        Err(Obstacle::NotTheirs(dataset)) => {
            let title = (i18n.messages().export.not_yours)(i18n.text(dataset.describe().title));
            view! { <Empty title help=Signal::derive(move || i18n.messages().export.not_yours_help) /> }
                .into_any()
        }
        Err(Obstacle::Denied(Denied::ScopeRequired { one_of, .. }))
            if one_of.contains(&FilterKey::LessonId) =>
        {
            empty(
                |i18n| i18n.messages().export.waiting_for_scope,
                |i18n| i18n.messages().export.waiting_for_course_or_lesson_help,
            )
        }
        Err(Obstacle::Denied(_)) => empty(
            |i18n| i18n.messages().export.waiting_for_scope,
            |i18n| i18n.messages().export.waiting_for_scope_help,
        ),
        Err(Obstacle::Filters(_)) => empty(
            |i18n| i18n.messages().export.waiting_for_filters,
            |i18n| i18n.messages().export.waiting_for_filters_help,
        ),
        Ok(grant) => match state.rows() {
            Rows::Awaited => bones().into_any(),
            Rows::Old(preview) => table(&grant, Age::Old, &preview),
            Rows::Here(preview) => table(&grant, Age::Current, &preview),
            Rows::Failed(_) => ().into_any(),
        },
    };
    view! {
        {rows}
        <Failed failure on_retry=move |()| state.reload() busy=state.is_reading() />
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
