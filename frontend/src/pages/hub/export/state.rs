//! What the parts of the export page share: the state in the address, and what follows from it.

use domain::access::Denied;
use domain::filter::{FieldProblem, FilterKey};
use domain::{Dataset, Grant};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};

use crate::address::{ExportPage, Section};
use crate::api::failure::Failure;
use crate::api::links::{FileLink, FileRequest, link};
use crate::api::preview::{Preview, first_rows};
use crate::i18n::format::today;
use crate::i18n::{I18n, use_i18n};
use crate::latest::Latest;
use crate::pages::hub::last_export::LastExport;
use crate::session::{Session, use_session};

/// The state of the page and what follows from it.
#[derive(Clone, Copy)]
pub struct ExportState {
    page: Memo<ExportPage>,
    navigate: Callback<String>,
    datasets: Memo<Vec<Dataset>>,
    dataset: Memo<Option<Dataset>>,
    grant: Memo<Result<Grant, Obstacle>>,
    preview: Latest<Grant, Preview>,
    estimate: Latest<Grant, FileLink>,
    session: Session,
    i18n: I18n,
}

/// What keeps rows from being read.
#[derive(Clone, Debug, PartialEq)]
pub enum Obstacle {
    /// There is no dataset that the viewer may see.
    NoDataset,
    /// The address asks for one that the viewer may not see.
    NotTheirs(Dataset),
    /// Filters that need mending.
    Filters(Vec<FieldProblem>),
    /// A rule forbids it.
    Denied(Denied),
}

/// How far the first rows have come.
#[derive(Clone, Debug, PartialEq)]
pub enum Rows {
    /// They are on their way, and there is nothing to show meanwhile.
    Awaited,
    /// They are on their way; these are of an older filter.
    Old(Preview),
    /// They are here.
    Here(Preview),
    /// They could not be read.
    Failed(Failure),
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
        let address = Memo::new(move |before: Option<&ExportPage>| {
            let search = location.search.get();
            match location.pathname.with(|path| Section::at(path)) {
                Some(Section::Export) => ExportPage::read(&search),
                // On the way to another page the address changes first, and says nothing of this one.
                Some(Section::Sync | Section::Records | Section::Account) | None => {
                    before.cloned().unwrap_or_default()
                }
            }
        });
        let datasets = Memo::new(move |_| {
            session.person().map_or_else(Vec::new, |person| {
                Dataset::ALL.into_iter().filter(|dataset| person.viewer.may_see(*dataset)).collect()
            })
        });
        let dataset = Memo::new(move |_| {
            let wanted = address.with(|page| page.dataset);
            datasets.with(|known| match wanted {
                Some(wanted) => Some(wanted).filter(|wanted| known.contains(wanted)),
                None => known.first().copied(),
            })
        });
        let page = Memo::new(move |_| {
            let mut page = address.get();
            if let Some(dataset) = dataset.get() {
                page.keep_to(dataset);
            }
            page
        });
        let last_export = expect_context::<LastExport>();
        Effect::new(move |_| page.with(|page| last_export.keep(page)));
        let grant = Memo::new(move |_| {
            let person = session.person().ok_or(Obstacle::NoDataset)?;
            let dataset = match (dataset.get(), page.with(|page| page.dataset)) {
                (Some(dataset), _) => dataset,
                (None, Some(wanted)) if datasets.with(|known| !known.is_empty()) => {
                    return Err(Obstacle::NotTheirs(wanted));
                }
                (None, _) => return Err(Obstacle::NoDataset),
            };
            let today = today(&person.hub_timezone);
            let filter = page.with(|page| page.filter(dataset, today)).map_err(Obstacle::Filters)?;
            Grant::to_export(&person.viewer, dataset, filter).map_err(Obstacle::Denied)
        });
        let preview = Latest::new(
            move || grant.get().ok(),
            move |grant| async move { session.ask(first_rows(&grant)).await },
        );
        let estimate = Latest::new(
            move || {
                let has_more = preview.answer()?.is_ok_and(|preview| preview.has_more);
                grant.get().ok().filter(|_| has_more)
            },
            move |grant| {
                // Whatever the file looks like, it has as many rows.
                let file = untrack(|| file(session, i18n, &ExportPage::default(), grant));
                async move { session.ask(link(&file)).await }
            },
        );
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

    /// The first rows, those of an older filter meanwhile; tracked.
    pub fn rows(self) -> Rows {
        match self.preview.answer() {
            Some(Ok(preview)) => Rows::Here(preview),
            Some(Err(failure)) => Rows::Failed(failure),
            None => match self.preview.newest() {
                Some((grant, Ok(preview))) if Some(grant.dataset()) == self.dataset.get() => {
                    Rows::Old(preview)
                }
                Some(_) | None => Rows::Awaited,
            },
        }
    }

    /// Reads the first rows again.
    pub fn reload(self) {
        self.preview.ask_again();
    }

    /// Whether rows are on their way; tracked.
    pub fn is_reading(self) -> Signal<bool> {
        self.preview.is_asking()
    }

    /// About how many rows there are, when they are more than the first ones; tracked.
    pub fn estimate(self) -> Option<Result<FileLink, Failure>> {
        self.estimate.answer()
    }

    /// The hub's time zone, where a date of the filter is another day for the viewer; tracked.
    pub fn foreign_zone(self) -> Option<String> {
        let person = self.session.person()?;
        (person.hub_timezone != person.timezone).then_some(person.hub_timezone)
    }

    /// The filters of which the viewer must set at least one; tracked.
    pub fn required(self) -> &'static [FilterKey] {
        let person = self.session.person();
        let required = person.zip(self.dataset.get()).map(|(person, of)| person.viewer.required_scope(of));
        required.unwrap_or_default()
    }

    /// What to ask for when the file is wanted as things stand now.
    pub fn file_now(self) -> Option<FileRequest> {
        let grant = self.grant.get_untracked().ok()?;
        Some(untrack(|| file(self.session, self.i18n, &self.page.get(), grant)))
    }
}

/// What a file is asked for by; tracked.
fn file(session: Session, i18n: I18n, page: &ExportPage, grant: Grant) -> FileRequest {
    FileRequest {
        grant,
        format: page.format.0,
        layout: page.layout,
        locale: i18n.locale(),
        timezone: session.timezone(),
    }
}
