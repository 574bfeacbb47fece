//! What the parts of the export page share: the state in the address, and what follows from it.

use domain::access::Denied;
use domain::filter::{FieldProblem, FilterKey};
use domain::{Dataset, Grant};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};

use crate::address::ExportPage;
use crate::api::failure::Failure;
use crate::api::links::{FileLink, FileRequest, link};
use crate::api::preview::{Preview, first_rows};
use crate::i18n::format::Format;
use crate::i18n::{I18n, use_i18n};
use crate::session::{Session, use_session};

/// The state of the page and what follows from it.
#[derive(Clone, Copy)]
pub struct ExportState {
    page: Memo<ExportPage>,
    navigate: Callback<String>,
    datasets: Memo<Vec<Dataset>>,
    dataset: Memo<Option<Dataset>>,
    grant: Memo<Result<Grant, Obstacle>>,
    preview: LocalResource<Option<Loaded>>,
    estimate: LocalResource<Option<Result<FileLink, Failure>>>,
    session: Session,
    i18n: I18n,
}

/// What keeps rows from being read.
#[derive(Clone, Debug, PartialEq)]
pub enum Obstacle {
    /// There is no dataset that the viewer may see.
    NoDataset,
    /// Filters that need mending.
    Filters(Vec<FieldProblem>),
    /// A rule forbids it.
    Denied(Denied),
}

/// The first rows, and by which grant they were read: rows of another filter are old, of another dataset no use.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// By which they were read.
    pub grant: Grant,
    /// The rows, or why there are none.
    pub rows: Result<Preview, Failure>,
}

/// The state around a part of the page.
pub fn use_export() -> ExportState {
    expect_context()
}

impl ExportState {
    /// Reads the state from the address and gives it to everything below.
    pub fn provide() -> Self {
        let (session, i18n, location) = (use_session(), use_i18n(), use_location());
        let go = use_navigate();
        let navigate = Callback::new(move |query: String| {
            let path = location.pathname.get_untracked();
            let options = NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() };
            go(&format!("{path}?{query}"), options);
        });
        let page = Memo::new(move |_| location.search.with(|search| ExportPage::read(search)));
        let datasets = Memo::new(move |_| {
            session.person().map_or_else(Vec::new, |person| {
                Dataset::ALL.into_iter().filter(|dataset| person.viewer.may_see(*dataset)).collect()
            })
        });
        let dataset = Memo::new(move |_| {
            let wanted = page.with(|page| page.dataset);
            datasets.with(|known| {
                wanted.filter(|dataset| known.contains(dataset)).or_else(|| known.first().copied())
            })
        });
        let grant = Memo::new(move |_| {
            let person = session.person().ok_or(Obstacle::NoDataset)?;
            let dataset = dataset.get().ok_or(Obstacle::NoDataset)?;
            let today = Format::new(i18n.locale_now(), &person.timezone).today();
            let filter = page.with(|page| page.filter(dataset, today)).map_err(Obstacle::Filters)?;
            Grant::to_export(&person.viewer, dataset, filter).map_err(Obstacle::Denied)
        });
        let preview = LocalResource::new(move || {
            let grant = grant.get().ok();
            async move {
                let grant = grant?;
                let rows = session.ask(first_rows(&grant)).await;
                Some(Loaded { grant, rows })
            }
        });
        let estimate = LocalResource::new(move || {
            let unsure = preview.get().flatten().and_then(|loaded| {
                let has_more = loaded.rows.is_ok_and(|preview| preview.has_more);
                has_more.then_some(loaded.grant)
            });
            let file = unsure.map(|grant| file(session, i18n, page, grant));
            async move { Some(session.ask(link(&file?)).await) }
        });
        let state = Self { page, navigate, datasets, dataset, grant, preview, estimate, session, i18n };
        provide_context(state);
        state
    }

    /// Changes the state, and with it the address.
    pub fn change(self, change: impl FnOnce(&mut ExportPage)) {
        let mut page = self.page.get_untracked();
        change(&mut page);
        self.navigate.run(page.write());
    }

    /// The state in the address, tracked.
    pub fn page(self) -> ExportPage {
        self.page.get()
    }

    /// The datasets that the viewer may see, tracked.
    pub fn datasets(self) -> Vec<Dataset> {
        self.datasets.get()
    }

    /// The dataset that is shown, tracked.
    pub fn dataset(self) -> Option<Dataset> {
        self.dataset.get()
    }

    /// Leave to read the rows, or what is in the way; tracked.
    pub fn grant(self) -> Result<Grant, Obstacle> {
        self.grant.get()
    }

    /// What is wrong with a filter, in the page's language; tracked.
    pub fn problem(self, key: FilterKey) -> Option<String> {
        let Err(Obstacle::Filters(problems)) = self.grant.get() else { return None };
        let problem = problems.into_iter().find(|problem| problem.field == key.key())?;
        Some(problem.problem.message(self.i18n.locale()))
    }

    /// The rows that were read last, while they are of the dataset that is shown; tracked.
    pub fn loaded(self) -> Option<Loaded> {
        let dataset = self.dataset.get();
        self.preview.get().flatten().filter(|loaded| Some(loaded.grant.dataset()) == dataset)
    }

    /// Reads the first rows again.
    pub fn reload(self) {
        self.preview.refetch();
    }

    /// About how many rows there are, when they are more than the first ones; tracked.
    pub fn estimate(self) -> Option<Result<FileLink, Failure>> {
        self.estimate.get().flatten()
    }

    /// What to ask for when the file is wanted as things stand now.
    pub fn file_now(self) -> Option<FileRequest> {
        let grant = self.grant.get_untracked().ok()?;
        Some(file(self.session, self.i18n, self.page, grant))
    }
}

fn file(session: Session, i18n: I18n, page: Memo<ExportPage>, grant: Grant) -> FileRequest {
    let page = page.get_untracked();
    FileRequest {
        grant,
        format: page.format.0,
        layout: page.layout,
        locale: i18n.locale_now(),
        timezone: untrack(|| session.timezone()),
    }
}
