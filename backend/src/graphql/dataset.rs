//! The seven datasets as connections.

mod email;
mod filter;
mod series;

use async_graphql::connection::{Connection, Edge, EmptyFields};
use async_graphql::dataloader::DataLoader;
use async_graphql::{ComplexObject, Context, Object, OutputType};
use futures_util::FutureExt as _;

pub use email::Emails;
use filter::{
    CourseTeacherAssignmentFilter, DiscordPracticeFilter, IntoFilter, PracticePackageOrderFilter,
    StudentActivitySnapshotFilter, TeacherActivitySnapshotFilter, TeacherSubmissionFilter,
    VideoPlayerEventFilter,
};
pub use series::SeriesQuery;

use super::context::ContextExt as _;
use super::total::Total;
use crate::error::{Error, Result, SharedError};
use crate::id::Id;
use crate::models::course_teacher_assignment::CourseTeacherAssignment;
use crate::models::discord_practice::DiscordPractice;
use crate::models::practice_package_order::PracticePackageOrder;
use crate::models::student_activity_snapshot::StudentActivitySnapshot;
use crate::models::teacher_activity_snapshot::TeacherActivitySnapshot;
use crate::models::teacher_submission::{SubmissionChange, TeacherSubmission};
use crate::models::video_player_event::VideoPlayerEvent;
use crate::source::{self, PageRequest, Source};

/// The seven datasets.
#[derive(Default)]
pub struct DatasetQuery;

type Rows<S> = Connection<String, S, Total, EmptyFields>;

async fn rows<S: Source + OutputType>(
    ctx: &Context<'_>,
    filter: Option<impl IntoFilter>,
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
) -> Result<Rows<S>> {
    let filter = filter::parse(S::DATASET, filter)?;
    let page = PageRequest::new(first, after.as_deref(), last, before.as_deref())?;
    let mut conn = ctx.conn().await?;
    let grant = source::grant::to_read(&mut conn, ctx.viewer()?, S::DATASET, filter).await?;
    let zone = ctx.app().config.hub.timezone;
    let page = source::rows::<S>(&mut conn, &grant, zone, page).await?;
    let total = Total::new(move |conn| {
        let grant = grant.clone();
        async move { source::count::<S>(conn, &grant, zone).await }.boxed()
    });
    let mut connection = Connection::with_additional_fields(page.has_previous, page.has_next, total);
    connection.edges = page.rows.into_iter().map(|row| Edge::new(row.cursor().encode(), row)).collect();
    Ok(connection)
}

#[Object]
impl DatasetQuery {
    /// What the video player reported, newest first.
    ///
    /// Pages of up to 500 rows (50 unless told), forwards by `first` and `after` or backwards by `last` and `before`.
    /// Errors: UNAUTHENTICATED, FORBIDDEN, SCOPE_REQUIRED, BAD_USER_INPUT.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn video_player_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What rows must pass; a Teacher Admin must name a course or lesson.")]
        filter: Option<VideoPlayerEventFilter>,
        #[graphql(desc = "So many rows from the start, or behind `after`.")] first: Option<i32>,
        #[graphql(desc = "Behind the row with this cursor.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or ahead of `before`.")] last: Option<i32>,
        #[graphql(desc = "Ahead of the row with this cursor.")] before: Option<String>,
    ) -> Result<Rows<VideoPlayerEvent>> {
        rows(ctx, filter, first, after, last, before).await
    }

    /// What students did, summed up, newest first.
    ///
    /// Pages of up to 500 rows (50 unless told), forwards by `first` and `after` or backwards by `last` and `before`.
    /// Errors: UNAUTHENTICATED, FORBIDDEN, SCOPE_REQUIRED, BAD_USER_INPUT.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn student_activity_snapshots(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What rows must pass; a Teacher Admin must name a course or lesson.")]
        filter: Option<StudentActivitySnapshotFilter>,
        #[graphql(desc = "So many rows from the start, or behind `after`.")] first: Option<i32>,
        #[graphql(desc = "Behind the row with this cursor.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or ahead of `before`.")] last: Option<i32>,
        #[graphql(desc = "Ahead of the row with this cursor.")] before: Option<String>,
    ) -> Result<Rows<StudentActivitySnapshot>> {
        rows(ctx, filter, first, after, last, before).await
    }

    /// What Teacher Admins did, summed up, newest first; not for Teacher Admins.
    ///
    /// Pages of up to 500 rows (50 unless told), forwards by `first` and `after` or backwards by `last` and `before`.
    /// Errors: UNAUTHENTICATED, FORBIDDEN, SCOPE_REQUIRED, BAD_USER_INPUT.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn teacher_activity_snapshots(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What rows must pass; a Teacher Admin must name a course or lesson.")]
        filter: Option<TeacherActivitySnapshotFilter>,
        #[graphql(desc = "So many rows from the start, or behind `after`.")] first: Option<i32>,
        #[graphql(desc = "Behind the row with this cursor.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or ahead of `before`.")] last: Option<i32>,
        #[graphql(desc = "Ahead of the row with this cursor.")] before: Option<String>,
    ) -> Result<Rows<TeacherActivitySnapshot>> {
        rows(ctx, filter, first, after, last, before).await
    }

    /// Live practices on Discord, the latest start first.
    ///
    /// Pages of up to 500 rows (50 unless told), forwards by `first` and `after` or backwards by `last` and `before`.
    /// Errors: UNAUTHENTICATED, FORBIDDEN, SCOPE_REQUIRED, BAD_USER_INPUT.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn discord_practices(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What rows must pass; a Teacher Admin must name a course or lesson.")]
        filter: Option<DiscordPracticeFilter>,
        #[graphql(desc = "So many rows from the start, or behind `after`.")] first: Option<i32>,
        #[graphql(desc = "Behind the row with this cursor.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or ahead of `before`.")] last: Option<i32>,
        #[graphql(desc = "Ahead of the row with this cursor.")] before: Option<String>,
    ) -> Result<Rows<DiscordPractice>> {
        rows(ctx, filter, first, after, last, before).await
    }

    /// Orders of practice packs, newest first.
    ///
    /// Pages of up to 500 rows (50 unless told), forwards by `first` and `after` or backwards by `last` and `before`.
    /// Errors: UNAUTHENTICATED, FORBIDDEN, SCOPE_REQUIRED, BAD_USER_INPUT.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn practice_package_orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What rows must pass; a Teacher Admin must name a course or lesson.")]
        filter: Option<PracticePackageOrderFilter>,
        #[graphql(desc = "So many rows from the start, or behind `after`.")] first: Option<i32>,
        #[graphql(desc = "Behind the row with this cursor.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or ahead of `before`.")] last: Option<i32>,
        #[graphql(desc = "Ahead of the row with this cursor.")] before: Option<String>,
    ) -> Result<Rows<PracticePackageOrder>> {
        rows(ctx, filter, first, after, last, before).await
    }

    /// What teachers proposed, newest first.
    ///
    /// Pages of up to 500 rows (50 unless told), forwards by `first` and `after` or backwards by `last` and `before`.
    /// Errors: UNAUTHENTICATED, FORBIDDEN, SCOPE_REQUIRED, BAD_USER_INPUT.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn teacher_submissions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What rows must pass; a Teacher Admin must name a course or lesson.")]
        filter: Option<TeacherSubmissionFilter>,
        #[graphql(desc = "So many rows from the start, or behind `after`.")] first: Option<i32>,
        #[graphql(desc = "Behind the row with this cursor.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or ahead of `before`.")] last: Option<i32>,
        #[graphql(desc = "Ahead of the row with this cursor.")] before: Option<String>,
    ) -> Result<Rows<TeacherSubmission>> {
        rows(ctx, filter, first, after, last, before).await
    }

    /// Which teachers are assigned to which courses, newest first.
    ///
    /// Pages of up to 500 rows (50 unless told), forwards by `first` and `after` or backwards by `last` and `before`.
    /// Errors: UNAUTHENTICATED, FORBIDDEN, SCOPE_REQUIRED, BAD_USER_INPUT.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn course_teacher_assignments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What rows must pass; a Teacher Admin must name a course or lesson.")]
        filter: Option<CourseTeacherAssignmentFilter>,
        #[graphql(desc = "So many rows from the start, or behind `after`.")] first: Option<i32>,
        #[graphql(desc = "Behind the row with this cursor.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or ahead of `before`.")] last: Option<i32>,
        #[graphql(desc = "Ahead of the row with this cursor.")] before: Option<String>,
    ) -> Result<Rows<CourseTeacherAssignment>> {
        rows(ctx, filter, first, after, last, before).await
    }
}

/// A page costs what its rows cost, which is how an alias or a large page is paid for.
fn page_cost(first: Option<i32>, last: Option<i32>, row: usize) -> usize {
    let rows = first.or(last).unwrap_or(50).clamp(1, 500);
    10 + usize::try_from(rows).unwrap_or(500) * row / 10
}

/// A user's e-mail address.
pub(super) async fn email(ctx: &Context<'_>, user: Id) -> Result<String, SharedError> {
    let email = optional_email(ctx, Some(user)).await?;
    email.ok_or_else(|| Error::Internal(anyhow::anyhow!("User {user} is not there")).into())
}

async fn optional_email(ctx: &Context<'_>, user: Option<Id>) -> Result<Option<String>, SharedError> {
    let Some(user) = user else { return Ok(None) };
    let emails = ctx.data_unchecked::<DataLoader<Emails>>();
    emails.load_one(user.0).await
}

#[ComplexObject]
impl VideoPlayerEvent {
    /// That person's e-mail address.
    async fn user_email(&self, ctx: &Context<'_>) -> Result<Option<String>, SharedError> {
        optional_email(ctx, self.user_id).await
    }
}

#[ComplexObject]
impl StudentActivitySnapshot {
    /// The student's e-mail address.
    async fn user_email(&self, ctx: &Context<'_>) -> Result<String, SharedError> {
        email(ctx, self.user_id).await
    }
}

#[ComplexObject]
impl TeacherActivitySnapshot {
    /// The teacher's e-mail address.
    async fn teacher_email(&self, ctx: &Context<'_>) -> Result<String, SharedError> {
        email(ctx, self.teacher_id).await
    }
}

#[ComplexObject]
impl DiscordPractice {
    /// The creator's e-mail address.
    async fn creator_email(&self, ctx: &Context<'_>) -> Result<Option<String>, SharedError> {
        optional_email(ctx, self.creator_id).await
    }
}

#[ComplexObject]
impl PracticePackageOrder {
    /// The student's e-mail address.
    async fn user_email(&self, ctx: &Context<'_>) -> Result<String, SharedError> {
        email(ctx, self.user_id).await
    }

    /// The e-mail address of the pack's creator.
    async fn teacher_email(&self, ctx: &Context<'_>) -> Result<Option<String>, SharedError> {
        optional_email(ctx, self.teacher_id).await
    }
}

#[ComplexObject]
impl CourseTeacherAssignment {
    /// The teacher's e-mail address.
    async fn teacher_email(&self, ctx: &Context<'_>) -> Result<String, SharedError> {
        email(ctx, self.teacher_id).await
    }

    /// The e-mail address of who assigned them.
    async fn assigner_email(&self, ctx: &Context<'_>) -> Result<Option<String>, SharedError> {
        optional_email(ctx, self.assigned_by).await
    }
}

#[ComplexObject]
impl TeacherSubmission {
    /// The teacher's e-mail address.
    async fn teacher_email(&self, ctx: &Context<'_>) -> Result<String, SharedError> {
        email(ctx, self.teacher_id).await
    }

    /// The changes of its status, oldest first.
    async fn history(&self) -> Result<Vec<SubmissionChange>> {
        self.changes().map_err(|error| Error::Internal(error.into()))
    }
}
