//! What there is to ask for: datasets, courses, lessons.

use async_graphql::{Context, Enum, Object, SimpleObject};
use domain::access::Act;
use domain::dataset::ColumnKind;
use domain::filter::FilterKind;
use domain::{Dataset, ExportFormat, Locale, Viewer};

use super::context::ContextExt as _;
use super::names::{DatasetName, FormatName, LocaleName};
use crate::error::{Error, Result};
use crate::id::Id;
use crate::models::course::{self, CourseRow, LessonRow};

/// Datasets, courses and lessons.
#[derive(Default)]
pub struct CatalogQuery;

#[Object]
impl CatalogQuery {
    /// The datasets that the viewer may read, with everything a form or a client needs to know of them.
    async fn datasets(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The language of titles; the viewer's own unless given.")] locale: Option<
            LocaleName,
        >,
    ) -> Result<Vec<DatasetInfo>> {
        let viewer = ctx.viewer()?;
        let locale = locale.map_or(ctx.request().locale, Into::into);
        let seen = Dataset::ALL.into_iter().filter(|dataset| viewer.may_see(*dataset));
        Ok(seen.map(|dataset| DatasetInfo::new(dataset, viewer, locale)).collect())
    }

    /// Courses by name, in order of their slugs, but one whose id was searched for comes first. Errors: UNAUTHENTICATED, FORBIDDEN, BAD_USER_INPUT.
    async fn courses(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Part of the title in any language, or of the slug, or the id.")] search: Option<
            String,
        >,
        #[graphql(desc = "At most so many, from 0 to 500; 50 unless told.", default = 50)] first: Option<i32>,
    ) -> Result<Vec<Course>> {
        let viewer = ctx.viewer_who_may(Act::BrowseCourses)?;
        let found = course::search(
            &mut *ctx.conn().await?,
            viewer,
            search.as_deref(),
            at_most("first", first.unwrap_or(50))?,
        )
        .await?;
        Ok(found.into_iter().map(|row| Course::new(row, ctx.request().locale)).collect())
    }

    /// Lessons by name, in order of their titles, but one whose id was searched for comes first. Errors: UNAUTHENTICATED, FORBIDDEN, BAD_USER_INPUT.
    async fn lessons(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only this course's lessons.")] course_id: Option<Id>,
        #[graphql(desc = "Part of the title, or the id.")] search: Option<String>,
        #[graphql(desc = "At most so many, from 0 to 500; 50 unless told.", default = 50)] first: Option<i32>,
    ) -> Result<Vec<Lesson>> {
        let viewer = ctx.viewer_who_may(Act::BrowseCourses)?;
        let limit = at_most("first", first.unwrap_or(50))?;
        let mut conn = ctx.conn().await?;
        let found =
            course::search_lessons(&mut conn, viewer, course_id.map(|id| id.0), search.as_deref(), limit)
                .await?;
        Ok(found.into_iter().map(|row| Lesson::new(row, ctx.request().locale)).collect())
    }
}

/// The most entries of a plain list.
pub const MAX_LIST: i32 = 500;

/// Checks how many entries somebody wants.
pub fn at_most(field: &str, number: i32) -> Result<i64> {
    match number {
        0..=MAX_LIST => Ok(i64::from(number)),
        _ => Err(Error::invalid(
            field,
            domain::Text::new("Se acepta un número de 0 a 500.", "Accepted: a number from 0 to 500."),
        )),
    }
}

/// A list costs what its entries cost, which is how an alias or a long list is paid for.
pub fn list_cost(first: Option<i32>, entry: usize) -> usize {
    let entries = usize::try_from(first.unwrap_or(50)).unwrap_or_default();
    10 + entries.saturating_mul(entry) / 10
}

/// A dataset, with everything a form or a client needs to know of it.
#[derive(SimpleObject)]
pub struct DatasetInfo {
    /// The dataset.
    dataset: DatasetName,
    /// The machine name, as in URLs and file names: `video_player_events`.
    key: &'static str,
    /// Its title.
    label: &'static str,
    /// What a row is.
    description: &'static str,
    /// Its columns in export order.
    columns: Vec<ColumnInfo>,
    /// The filters that it takes.
    filters: Vec<FilterInfo>,
    /// Filter keys of which this viewer must give at least one; empty when none is needed.
    required_scope: Vec<&'static str>,
    /// Whether this viewer may import it.
    importable: bool,
    /// Header of the import file, in order; empty when not importable by this viewer.
    import_columns: Vec<&'static str>,
    /// The formats that it can be downloaded in.
    formats: Vec<FormatName>,
}

impl DatasetInfo {
    fn new(dataset: Dataset, viewer: &Viewer, locale: Locale) -> Self {
        let known = dataset.describe();
        let import = known.import.filter(|_| viewer.may_import(dataset).is_ok());
        let column = |column: &domain::dataset::Column| ColumnInfo {
            key: column.key,
            label: column.title.in_locale(locale),
            kind: column.kind.into(),
        };
        let filter = |field: &domain::dataset::FilterField| FilterInfo {
            key: field.key.key(),
            label: field.key.title().in_locale(locale),
            kind: field.kind.into(),
            choices: field.choices.iter().map(|choice| choice.value).collect(),
        };
        Self {
            dataset: dataset.into(),
            key: known.key,
            label: known.title.in_locale(locale),
            description: known.about.in_locale(locale),
            columns: known.columns.iter().map(column).collect(),
            filters: known.filters.iter().map(filter).collect(),
            required_scope: viewer.required_scope(dataset).iter().map(|key| key.key()).collect(),
            importable: import.is_some(),
            import_columns: import.unwrap_or_default().to_vec(),
            formats: ExportFormat::AVAILABLE.into_iter().map(FormatName::from).collect(),
        }
    }
}

/// A column of a dataset.
#[derive(SimpleObject)]
pub struct ColumnInfo {
    /// JSON key and machine CSV header.
    key: &'static str,
    /// The readable header.
    label: &'static str,
    /// What its values are.
    #[graphql(name = "type")]
    kind: ColumnType,
}

/// What the values of a column are.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "ColumnKind")]
pub enum ColumnType {
    /// An id: a whole number that is only compared.
    Id,
    /// A whole number.
    Integer,
    /// A number with a fraction.
    Decimal,
    /// Text.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A moment, RFC 3339.
    Timestamp,
    /// Any JSON value.
    Json,
}

/// A filter of a dataset.
#[derive(SimpleObject)]
pub struct FilterInfo {
    /// The key in export links; in GraphQL the same in camel case.
    key: &'static str,
    /// The name that people read.
    label: &'static str,
    /// What its value is.
    kind: FilterType,
    /// Values to choose from; only suggestions when the kind is TEXT.
    choices: Vec<&'static str>,
}

/// What a filter's value is.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "FilterKind", remote = "FilterKind")]
pub enum FilterType {
    /// A date or a timestamp.
    Date,
    /// A course's id.
    Course,
    /// A lesson's id.
    Lesson,
    /// Another id.
    Id,
    /// Free text.
    Text,
    /// One of the choices.
    Choice,
}

/// A course.
#[derive(SimpleObject)]
pub struct Course {
    /// Identifies the course.
    id: Id,
    /// Its short name in addresses.
    slug: String,
    /// Its title in the request's language, else in any other.
    title: String,
}

impl Course {
    /// A course as this reader sees it.
    pub fn new(row: CourseRow, locale: Locale) -> Self {
        Self { title: row.title(locale), id: row.id, slug: row.slug }
    }
}

/// A lesson.
#[derive(SimpleObject)]
pub struct Lesson {
    /// Identifies the lesson.
    id: Id,
    /// Its title.
    title: String,
    /// The course that it belongs to.
    course: Course,
}

impl Lesson {
    fn new(row: LessonRow, locale: Locale) -> Self {
        Self { id: row.id, title: row.title, course: Course::new(row.course, locale) }
    }
}
