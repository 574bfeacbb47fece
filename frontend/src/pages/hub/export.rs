//! The export page: the dataset, its filters, a preview and the download.

mod cells;
mod course_filter;
mod csv_options;
mod dataset_buttons;
mod date_filter;
mod download;
mod filters;
mod lesson_filter;
mod name_filter;
mod preview;
mod scope_note;
mod state;
mod value_filter;

use leptos::prelude::*;

use crate::i18n::use_i18n;
use crate::pages::heading::Heading;
use crate::pages::hub::sync::overview::Overview;
use crate::ui::empty::Empty;
use crate::ui::panel::Panel;
use dataset_buttons::DatasetButtons;
use download::Download;
use filters::Filters;
use preview::PreviewTable;
use scope_note::ScopeNote;
use state::ExportState;

/// The page.
#[component]
pub fn ExportPage() -> impl IntoView {
    let i18n = use_i18n();
    let state = ExportState::provide();
    let has_datasets = Memo::new(move |_| !state.datasets().is_empty());
    view! {
        <Heading title=|i18n| i18n.messages().export.title lead=|i18n| i18n.messages().export.lead />
        <Overview />
        <Panel title=Signal::derive(move || i18n.messages().export.panel)>
            <Show
                when=move || has_datasets.get()
                fallback=move || view! {
                    <Empty
                        title=Signal::derive(move || i18n.messages().export.no_datasets.to_owned())
                        help=Signal::derive(move || i18n.messages().export.no_datasets_help)
                    />
                }
            >
                <DatasetButtons />
                <Filters />
                <ScopeNote />
                <PreviewTable />
                <Download />
            </Show>
        </Panel>
    }
}
