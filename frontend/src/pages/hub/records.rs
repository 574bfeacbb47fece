//! The export history, for admins.

mod rows;

use leptos::prelude::*;

use crate::api::audit::{ExportAudits, export_audits};
use crate::i18n::format::Format;
use crate::i18n::use_i18n;
use crate::pages::failed::Failed;
use crate::pages::heading::Heading;
use crate::session::use_session;
use crate::ui::button::{ActionButton, Variant};
use crate::ui::empty::Empty;
use crate::ui::panel::Panel;
use crate::ui::table::{Freshness, Table, TableSkeleton};
use rows::{cells, columns};

/// Number of exports per request.
const PAGE_SIZE: i64 = 25;

/// One export.
type Audit = export_audits::ExportAuditsExportAuditsNodes;

/// The page. It lists exports, newest first, and loads more on request.
#[component]
pub fn RecordsPage() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let audits = RwSignal::new(None::<Vec<Audit>>);
    let next_cursor = RwSignal::new(None::<String>);
    let load = Action::new_local(move |after: &Option<String>| {
        let variables = export_audits::Variables { first: PAGE_SIZE, after: after.clone() };
        async move {
            let page = session.run::<ExportAudits>(variables).await?.export_audits;
            next_cursor.set(page.page_info.end_cursor.filter(|_| page.page_info.has_next_page));
            audits.update(|audits| audits.get_or_insert_default().extend(page.nodes));
            Ok(())
        }
    });
    load.dispatch(None);
    let failure = Signal::derive(move || load.value().get().and_then(Result::err));
    let table = move || match audits.get() {
        None if failure.get().is_some() => ().into_any(),
        None => {
            let label = i18n.messages().frame.loading;
            view! { <TableSkeleton label=label columns=columns(i18n.messages()) rows=8 /> }.into_any()
        }
        Some(audits) if audits.is_empty() => view! {
            <Empty
                title=Signal::derive(move || i18n.messages().records.none.to_owned())
                help=Signal::derive(move || i18n.messages().records.none_help)
            />
        }
        .into_any(),
        Some(audits) => {
            let format = Format::new(i18n.locale(), &session.timezone());
            let rows = audits.iter().map(|audit| cells(audit, &format)).collect();
            let caption = i18n.messages().records.panel.to_owned();
            view! { <Table caption columns=columns(i18n.messages()) rows freshness=Freshness::Current /> }
                .into_any()
        }
    };
    let load_more = Callback::new(move |()| {
        load.dispatch(next_cursor.get_untracked());
    });
    let has_more = Memo::new(move |_| next_cursor.get().is_some() && failure.get().is_none());
    view! {
        <Heading title=|i18n| i18n.messages().records.title lead=|i18n| i18n.messages().records.lead />
        <Panel title=Signal::derive(move || i18n.messages().records.panel)>
            {table}
            <Failed failure on_retry=load_more busy=load.pending() />
            <Show when=move || has_more.get()>
                <div>
                    <ActionButton variant=Variant::Quiet busy=load.pending() on_press=load_more>
                        {move || i18n.messages().records.show_more}
                    </ActionButton>
                </div>
            </Show>
        </Panel>
    }
}
