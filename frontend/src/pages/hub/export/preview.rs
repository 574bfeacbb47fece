//! The preview: the first rows of the export.

use domain::access::Denied;
use domain::dataset::FilterKey;
use domain::names::camel_case;
use domain::practice::RESERVATION_COLUMNS;
use domain::{Dataset, Grant};
use leptos::prelude::*;
use serde_json::Value;

use super::cells::{Formatter, cell, cell_style};
use super::state::{Blocker, Rows, use_export};
use crate::api::preview::{PREVIEW_ROWS, Preview};
use crate::i18n::format::Format;
use crate::i18n::{I18n, use_i18n};
use crate::pages::failed::Failed;
use crate::session::use_session;
use crate::ui::empty::Empty;
use crate::ui::table::{Cell, Column, Freshness, Table, TableSkeleton};

impl Formatter for Format {
    fn number(&self, value: f64) -> String {
        Self::number(self, value)
    }
    fn timestamp(&self, rfc3339: &str) -> String {
        Self::timestamp(self, rfc3339)
    }
}

/// The rows, a skeleton while they are loading, or what the user must do to see some.
#[component]
pub fn PreviewTable() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let state = use_export();
    let columns = move || {
        let practice = state.practice();
        let columns = state.dataset().map(|dataset| shown_columns(dataset, practice.as_deref()));
        table_columns(columns.unwrap_or_default(), i18n)
    };
    let skeleton = move || {
        let label = i18n.messages().frame.loading;
        view! { <TableSkeleton label=label columns=columns() rows=PREVIEW_ROWS /> }
    };
    let empty = |title: fn(I18n) -> &'static str, help: fn(I18n) -> &'static str| {
        let i18n = use_i18n();
        let (title, help) =
            (Signal::derive(move || title(i18n).to_owned()), Signal::derive(move || help(i18n)));
        view! { <Empty title help /> }.into_any()
    };
    let table = move |grant: &Grant, freshness: Freshness, preview: &Preview| {
        let dataset = grant.dataset();
        let practice = state.practice();
        if preview.rows.is_empty() && practice.is_none() {
            return empty(|i18n| i18n.messages().export.no_rows, |i18n| i18n.messages().export.no_rows_help);
        }
        let format = Format::new(i18n.locale(), &session.timezone());
        let title = i18n.text(dataset.describe().title);
        let caption = match &practice {
            Some(id) => (i18n.messages().export.reservations)(id, preview.rows.len(), preview.has_more),
            None => (i18n.messages().export.preview)(title),
        };
        let links = match (dataset, &practice) {
            (Dataset::DiscordPractices, None) => {
                let ids = preview.rows.iter().filter_map(|row| row.get("practiceId")?.as_str());
                ids.map(|id| state.link_to_practice(Some(id.to_owned()))).collect()
            }
            _ => Vec::new(),
        };
        let heading = practice.is_some().then(|| {
            let (text, back) = (caption.clone(), state.link_to_practice(None));
            view! { <p><a href=back>{format!("← {title}")}</a> " · " <strong>{text}</strong></p> }
        });
        let rows = cells(shown_columns(dataset, practice.as_deref()), preview, &format);
        view! { {heading} <Table caption columns=columns() rows freshness links /> }.into_any()
    };
    // During a retry, the failure stays on the page, so that the button keeps the focus.
    let failure = Memo::new(move |_| match state.rows() {
        Rows::Failed(failure) => Some(failure),
        Rows::Loading | Rows::Stale(_) | Rows::Loaded(_) => None,
    });
    let rows = move || match state.grant() {
        Err(Blocker::NoDataset) => ().into_any(),
        Err(Blocker::NotAllowed(dataset)) => {
            let title = (i18n.messages().export.not_allowed)(i18n.text(dataset.describe().title));
            view! { <Empty title help=Signal::derive(move || i18n.messages().export.not_allowed_help) /> }
                .into_any()
        }
        Err(Blocker::Denied(Denied::ScopeRequired { one_of, .. }))
            if one_of.contains(&FilterKey::LESSON_ID) =>
        {
            empty(
                |i18n| i18n.messages().export.waiting_for_scope,
                |i18n| i18n.messages().export.waiting_for_course_or_lesson_help,
            )
        }
        Err(Blocker::Denied(_)) => empty(
            |i18n| i18n.messages().export.waiting_for_scope,
            |i18n| i18n.messages().export.waiting_for_scope_help,
        ),
        Err(Blocker::Filters(_)) => empty(
            |i18n| i18n.messages().export.invalid_filters,
            |i18n| i18n.messages().export.invalid_filters_help,
        ),
        Ok(grant) => match state.rows() {
            Rows::Loading => skeleton().into_any(),
            Rows::Stale(preview) => table(&grant, Freshness::Stale, &preview),
            Rows::Loaded(preview) => table(&grant, Freshness::Current, &preview),
            Rows::Failed(_) => ().into_any(),
        },
    };
    view! {
        {rows}
        <Failed failure on_retry=move |()| state.reload() busy=state.is_loading() />
    }
}

/// The columns of a dataset, or of the reservations of a practice.
fn shown_columns(dataset: Dataset, practice: Option<&str>) -> &'static [domain::dataset::Column] {
    if practice.is_some() { RESERVATION_COLUMNS } else { dataset.describe().columns }
}

/// Columns in the page's language.
fn table_columns(columns: &[domain::dataset::Column], i18n: I18n) -> Vec<Column> {
    let column = |column: &domain::dataset::Column| Column {
        title: i18n.text(column.title).to_owned(),
        style: cell_style(column.kind),
    };
    columns.iter().map(column).collect()
}

/// The cells of the rows, in the order of the columns.
fn cells(columns: &[domain::dataset::Column], preview: &Preview, format: &Format) -> Vec<Vec<Cell>> {
    let texts = &crate::i18n::messages(format.locale()).frame;
    let row = |row: &serde_json::Map<String, Value>| -> Vec<Cell> {
        columns
            .iter()
            .map(|column| cell(row.get(&camel_case(column.key))?, column.kind, format, texts))
            .collect()
    };
    preview.rows.iter().map(row).collect()
}
