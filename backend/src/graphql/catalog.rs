//! Datasets, courses and lessons.

use async_graphql::{Context, Object, SimpleObject};
use domain::access::Act;
use domain::dataset::{ColumnKind, FilterKind};
use domain::{Dataset, ExportFormat, Locale, Viewer};

use super::connection::page_size;
use super::context::ContextExt as _;
use crate::error::Result;
use crate::id::Id;
use crate::models::course::{self, CourseRow, LessonRow};

/// Datasets, courses and lessons.
#[derive(Default)]
pub struct CatalogQuery;

#[Object]
impl CatalogQuery {
    /// The datasets that the viewer may read, with everything that a form or a client needs.
    async fn datasets(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Language of titles. Default: the viewer's.")] locale: Option<Locale>,
    ) -> Result<Vec<DatasetInfo>> {
        let viewer = ctx.viewer()?;
        let locale = locale.unwrap_or(ctx.request().locale);
        let visible = Dataset::ALL.into_iter().filter(|dataset| viewer.may_see(*dataset));
        Ok(visible.map(|dataset| DatasetInfo::new(dataset, viewer, locale)).collect())
    }

    /// Courses, sorted by slug. A course whose ID matches the search comes first.
    ///
    /// Errors: UNAUTHENTICATED, FORBIDDEN, BAD_USER_INPUT.
    async fn courses(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Text in the title (in any language) or in the slug, or the ID.")] search: Option<
            String,
        >,
        #[graphql(desc = "Maximum number of items, 0–500. Default 50.", default = 50)] first: Option<i32>,
    ) -> Result<Vec<Course>> {
        let viewer = ctx.viewer_who_may(Act::BrowseCourses)?;
        let limit = page_size(first.unwrap_or(50))?;
        let found = course::search(&mut *ctx.conn().await?, viewer, search.as_deref(), limit).await?;
        Ok(found.into_iter().map(|row| Course::new(row, ctx.request().locale)).collect())
    }

    /// Lessons, sorted by title. A lesson whose ID matches the search comes first.
    ///
    /// Errors: UNAUTHENTICATED, FORBIDDEN, BAD_USER_INPUT.
    async fn lessons(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only lessons of this course.")] course_id: Option<Id>,
        #[graphql(desc = "Text in the title, or the ID.")] search: Option<String>,
        #[graphql(desc = "Maximum number of items, 0–500. Default 50.", default = 50)] first: Option<i32>,
    ) -> Result<Vec<Lesson>> {
        let viewer = ctx.viewer_who_may(Act::BrowseCourses)?;
        let limit = page_size(first.unwrap_or(50))?;
        let mut conn = ctx.conn().await?;
        let found =
            course::search_lessons(&mut conn, viewer, course_id.map(|id| id.0), search.as_deref(), limit)
                .await?;
        Ok(found.into_iter().map(|row| Lesson::new(row, ctx.request().locale)).collect())
    }
}

/// A dataset, with everything that a form or a client needs.
#[derive(SimpleObject)]
pub struct DatasetInfo {
    /// The dataset.
    dataset: Dataset,
    /// Machine name, as in URLs and file names: `video_player_events`.
    key: &'static str,
    /// Its title.
    label: &'static str,
    /// What a row represents.
    description: &'static str,
    /// Its columns in export order.
    columns: Vec<ColumnInfo>,
    /// Its filters.
    filters: Vec<FilterInfo>,
    /// Filter keys of which this viewer must set at least one. Empty if none is required.
    required_scope: Vec<&'static str>,
    /// Whether this viewer may import it.
    importable: bool,
    /// Columns of the import file in order. Empty if this viewer may not import it.
    import_columns: Vec<&'static str>,
    /// Formats for downloads.
    formats: Vec<ExportFormat>,
}

impl DatasetInfo {
    fn new(dataset: Dataset, viewer: &Viewer, locale: Locale) -> Self {
        let known = dataset.describe();
        let import = known.import.filter(|_| viewer.may_import(dataset).is_ok());
        let column = |column: &domain::dataset::Column| ColumnInfo {
            key: column.key,
            label: column.title.in_locale(locale),
            kind: column.kind,
        };
        let filter = |field: &domain::dataset::FilterField| FilterInfo {
            key: field.key.key(),
            label: field.key.title().in_locale(locale),
            kind: field.kind,
            choices: field.choices.iter().map(|choice| choice.value).collect(),
        };
        Self {
            dataset,
            key: known.key,
            label: known.title.in_locale(locale),
            description: known.about.in_locale(locale),
            columns: known.columns.iter().map(column).collect(),
            filters: known.filters.iter().map(filter).collect(),
            required_scope: viewer.required_scope(dataset).iter().map(|key| key.key()).collect(),
            importable: import.is_some(),
            import_columns: import.unwrap_or_default().to_vec(),
            formats: ExportFormat::ALL.to_vec(),
        }
    }
}

/// A column of a dataset.
#[derive(SimpleObject)]
pub struct ColumnInfo {
    /// Key in JSON and in machine-readable CSV headers.
    key: &'static str,
    /// Title of the column.
    label: &'static str,
    /// Type of the values.
    #[graphql(name = "type")]
    kind: ColumnKind,
}

/// A filter of a dataset.
#[derive(SimpleObject)]
pub struct FilterInfo {
    /// Key in export links. In GraphQL, the same in camel case.
    key: &'static str,
    /// Title of the filter.
    label: &'static str,
    /// Kind of the value.
    kind: FilterKind,
    /// Accepted values. Only suggestions if the kind is TEXT.
    choices: Vec<&'static str>,
}

/// A course.
#[derive(SimpleObject)]
pub struct Course {
    /// ID of the course.
    id: Id,
    /// Slug of the course.
    slug: String,
    /// Title in the language of the request, or in another one if there is none.
    title: String,
}

impl Course {
    /// A course in this language.
    pub fn new(row: CourseRow, locale: Locale) -> Self {
        Self { title: row.title(locale), id: row.id, slug: row.slug }
    }
}

/// A lesson.
#[derive(SimpleObject)]
pub struct Lesson {
    /// ID of the lesson.
    id: Id,
    /// Its title.
    title: String,
    /// The lesson's course.
    course: Course,
}

impl Lesson {
    fn new(row: LessonRow, locale: Locale) -> Self {
        Self { id: row.id, title: row.title, course: Course::new(row.course, locale) }
    }
}
