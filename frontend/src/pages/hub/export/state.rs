//! The state shared by the parts of the export page: the query of the URL, and what is derived from it.

use domain::access::Denied;
use domain::dataset::FilterKey;
use domain::filter::FieldProblem;
use domain::{Dataset, Grant};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};

use crate::address::{ExportQuery, Section};
use crate::api::failure::Failure;
use crate::api::links::{FileRequest, estimate};
use crate::api::preview::{Preview, first_rows, reservations};
use crate::i18n::format::today;
use crate::i18n::{I18n, use_i18n};
use crate::latest_request::LatestRequest;
use crate::pages::hub::last_export::LastExport;
use crate::session::{Session, use_session};

/// The state of the export page.
#[derive(Clone, Copy)]
pub struct ExportState {
    page: Memo<ExportQuery>,
    navigate: Callback<String>,
    datasets: Memo<Vec<Dataset>>,
    dataset: Memo<Option<Dataset>>,
    grant: Memo<Result<Grant, Blocker>>,
    preview: LatestRequest<Shown, Preview>,
    estimate: LatestRequest<Grant, u64>,
    session: Session,
    i18n: I18n,
}

/// The rows that are shown: those of a grant, or the reservations of the practice with this id.
type Shown = (Grant, Option<String>);

/// Why rows cannot be read.
#[derive(Clone, Debug, PartialEq)]
pub enum Blocker {
    /// There is no dataset that the user may see.
    NoDataset,
    /// The URL names a dataset that the user may not see.
    NotAllowed(Dataset),
    /// Some filters are invalid.
    Filters(Vec<FieldProblem>),
    /// An access rule forbids it.
    Denied(Denied),
}

/// The state of the preview's rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Rows {
    /// They are loading, and there are no older rows to show.
    Loading,
    /// They are loading. These are the rows of an older filter.
    Stale(Preview),
    /// They are loaded.
    Loaded(Preview),
    /// They could not be loaded.
    Failed(Failure),
}

/// The state from the context.
pub fn use_export() -> ExportState {
    expect_context()
}

impl ExportState {
    /// Provides the state as context.
    pub fn provide() -> Self {
        let (session, i18n, location) = (use_session(), use_i18n(), use_location());
        let navigate_to = use_navigate();
        let navigate = Callback::new(move |query: String| {
            let path = location.pathname.get_untracked();
            let options = NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() };
            navigate_to(&format!("{path}?{query}"), options);
        });
        let query = Memo::new(move |previous: Option<&ExportQuery>| {
            let search = location.search.get();
            match location.pathname.with(|path| Section::at(path)) {
                Some(Section::Export) => ExportQuery::parse(&search),
                // During a navigation, the URL is already that of the next page while this page still exists.
                Some(Section::Sync | Section::Records | Section::Account) | None => {
                    previous.cloned().unwrap_or_default()
                }
            }
        });
        let datasets = Memo::new(move |_| {
            session.user().map_or_else(Vec::new, |user| {
                Dataset::ALL.into_iter().filter(|dataset| user.viewer.may_see(*dataset)).collect()
            })
        });
        let dataset = Memo::new(move |_| {
            let requested = query.with(|page| page.dataset);
            datasets.with(|available| match requested {
                Some(requested) => Some(requested).filter(|requested| available.contains(requested)),
                None => available.first().copied(),
            })
        });
        let page = Memo::new(move |_| {
            let mut page = query.get();
            if let Some(dataset) = dataset.get() {
                page.drop_unsupported_filters(dataset);
            }
            page
        });
        let last_export = expect_context::<LastExport>();
        Effect::new(move |_| page.with(|page| last_export.store(page)));
        let grant = Memo::new(move |_| {
            let user = session.user().ok_or(Blocker::NoDataset)?;
            let dataset = match (dataset.get(), page.with(|page| page.dataset)) {
                (Some(dataset), _) => dataset,
                (None, Some(requested)) if datasets.with(|available| !available.is_empty()) => {
                    return Err(Blocker::NotAllowed(requested));
                }
                (None, _) => return Err(Blocker::NoDataset),
            };
            let today = today(&user.hub_timezone);
            let filter = page.with(|page| page.filter(dataset, today)).map_err(Blocker::Filters)?;
            Grant::to_export(&user.viewer, dataset, filter).map_err(Blocker::Denied)
        });
        let preview = LatestRequest::new(
            move || Some((grant.get().ok()?, opened_practice(dataset.get(), &page))),
            move |(grant, practice)| async move {
                session.send(practice.map_or_else(|| first_rows(&grant), |id| reservations(&id))).await
            },
        );
        let estimate = LatestRequest::new(
            move || {
                let has_more = preview.response()?.is_ok_and(|preview| preview.has_more);
                let is_practice = opened_practice(dataset.get(), &page).is_some();
                grant.get().ok().filter(|_| has_more && !is_practice)
            },
            move |grant| async move {
                let estimate = session.send(estimate(&grant)).await;
                estimate.map(|data| data.export_estimate.rows.unsigned_abs())
            },
        );
        let state = Self { page, navigate, datasets, dataset, grant, preview, estimate, session, i18n };
        provide_context(state);
        state
    }

    /// Changes the state by changing the URL.
    pub fn change(self, change: impl FnOnce(&mut ExportQuery)) {
        let mut page = self.page.get_untracked();
        change(&mut page);
        self.navigate.run(page.serialize());
    }

    /// The practice whose reservations are shown instead of the practices, by its id; tracked.
    pub fn practice(self) -> Option<String> {
        opened_practice(self.dataset.get(), &self.page)
    }

    /// The query of the URL with the reservations of a practice, or with the practices.
    pub fn link_to_practice(self, practice: Option<String>) -> String {
        format!("?{}", ExportQuery { practice, ..self.page() }.serialize())
    }

    /// The state in the URL; tracked.
    pub fn page(self) -> ExportQuery {
        self.page.get()
    }

    /// The datasets that the user may see; tracked.
    pub fn datasets(self) -> Vec<Dataset> {
        self.datasets.get()
    }

    /// The selected dataset; tracked.
    pub fn dataset(self) -> Option<Dataset> {
        self.dataset.get()
    }

    /// The permission to read the rows, or why they cannot be read; tracked.
    pub fn grant(self) -> Result<Grant, Blocker> {
        self.grant.get()
    }

    /// The error of a filter in the page's language; tracked.
    pub fn problem(self, key: FilterKey) -> Option<String> {
        let Err(Blocker::Filters(problems)) = self.grant.get() else { return None };
        let problem = problems.into_iter().find(|problem| problem.field == key.key())?;
        Some(problem.problem.message().in_locale(self.i18n.locale()).to_owned())
    }

    /// The preview's rows. While they are loading, those of an older filter; tracked.
    pub fn rows(self) -> Rows {
        match self.preview.response() {
            Some(Ok(preview)) => Rows::Loaded(preview),
            Some(Err(failure)) => Rows::Failed(failure),
            None => match self.preview.last_response() {
                Some(((grant, practice), Ok(preview)))
                    if Some(grant.dataset()) == self.dataset.get() && practice == self.practice() =>
                {
                    Rows::Stale(preview)
                }
                Some(_) | None => Rows::Loading,
            },
        }
    }

    /// Loads the preview's rows again.
    pub fn reload(self) {
        self.preview.reload();
    }

    /// Whether the preview's rows are loading; tracked.
    pub fn is_loading(self) -> Signal<bool> {
        self.preview.is_loading()
    }

    /// An estimate of the number of rows, if there are more than the preview shows; tracked.
    pub fn estimate(self) -> Option<Result<u64, Failure>> {
        self.estimate.response()
    }

    /// The hub's time zone, if it differs from the user's; tracked.
    pub fn differing_hub_zone(self) -> Option<String> {
        let user = self.session.user()?;
        (user.hub_timezone != user.timezone).then_some(user.hub_timezone)
    }

    /// The filters of which the user must set at least one; tracked.
    pub fn required(self) -> &'static [FilterKey] {
        let user = self.session.user();
        let required = user.zip(self.dataset.get()).map(|(user, of)| user.viewer.required_scope(of));
        required.unwrap_or_default()
    }

    /// The request for the file with the current selection, if there is a permission.
    pub fn current_file(self) -> Option<FileRequest> {
        let grant = self.grant.get_untracked().ok()?;
        Some(untrack(|| file_request(self.session, self.i18n, &self.page.get(), grant)))
    }
}

/// The practice in the URL, if practices are shown; tracked.
fn opened_practice(dataset: Option<Dataset>, page: &Memo<ExportQuery>) -> Option<String> {
    page.with(|page| page.practice.clone()).filter(|_| dataset == Some(Dataset::DiscordPractices))
}

/// The request for a file; tracked.
fn file_request(session: Session, i18n: I18n, page: &ExportQuery, grant: Grant) -> FileRequest {
    FileRequest {
        grant,
        format: page.format.0,
        layout: page.layout.in_locale(i18n.locale()),
        locale: i18n.locale(),
        timezone: session.timezone(),
    }
}
