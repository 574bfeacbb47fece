//! Mutations with which the learning platform mirrors its tables, one per table.

mod assignment;
mod course;
mod order;
mod package;
mod practice;
mod submission;
mod user;

use async_graphql::{Context, Object};
use domain::access::Act;

use self::assignment::CourseTeacherInput;
use self::course::{CourseInput, LessonInput};
use self::order::PracticePackageOrderInput;
use self::package::PracticePackageInput;
use self::practice::DiscordPracticeInput;
use self::submission::TeacherSubmissionInput;
use self::user::UserInput;
use super::context::ContextExt as _;
use crate::error::{Error, Result};
use crate::mirror::{self, Authority, Batch, Mirrored, Reader, WriteSummary};

/// Mirrors the data of the learning platform.
#[derive(Default)]
pub struct MirrorMutation;

/// An input with all fields of one row.
trait RowInput: Sized + Send {
    /// The row that the input is converted to.
    type Row: Mirrored;

    /// Converts the input. `None` if a field is invalid. The reader then has the error.
    fn read(self, fields: &mut Reader) -> Option<Self::Row>;
}

/// Each mutation takes up to 1,000 rows per call, identified by ID, and stores all or none of them. Repeating
/// a call changes nothing. Fields that are left out are set to their defaults. The result is the number of
/// rows that were added, changed or removed.
///
/// Errors: UNAUTHENTICATED; FORBIDDEN; BAD_USER_INPUT for invalid rows, with every invalid field by index and
/// name, such as `input[3].email`, and for two rows with the same ID; CONFLICT if data that the rows depend
/// on was changed at the same time (send them again); RATE_LIMITED if the rows are locked (send them again
/// after `retryAfterSeconds`).
#[Object]
impl MirrorMutation {
    /// Stores users by ID, up to 1,000 per call. Returns the number of users that were added or changed.
    /// Passwords, languages and time zones stay as they are. Users who become inactive are signed out at
    /// once. Erased users stay erased.
    ///
    /// Only an admin who signed in to the Hub, not a token, may create admins, grant manage-settings, or
    /// change admins and accounts with a password in the Hub (their e-mail address included). For other
    /// callers, such rows are refused and the other rows are stored: the response then has both the number
    /// and an error FORBIDDEN, and its `fields` name the refused rows. Rows that change nothing are not
    /// refused.
    async fn mirror_users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Up to 1,000 users.")] input: Vec<UserInput>,
    ) -> Result<usize> {
        store(ctx, input).await
    }

    /// Stores courses by ID, up to 1,000 per call, all or none. Returns the number of courses that were added
    /// or changed.
    async fn mirror_courses(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Up to 1,000 courses.")] input: Vec<CourseInput>,
    ) -> Result<usize> {
        store(ctx, input).await
    }

    /// Stores lessons by ID, up to 1,000 per call, all or none. Returns the number of lessons that were added
    /// or changed.
    async fn mirror_lessons(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Up to 1,000 lessons.")] input: Vec<LessonInput>,
    ) -> Result<usize> {
        store(ctx, input).await
    }

    /// Stores practice packs by ID, up to 1,000 per call, all or none. Returns the number of packs that were
    /// added or changed.
    async fn mirror_practice_packages(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Up to 1,000 practice packs.")] input: Vec<PracticePackageInput>,
    ) -> Result<usize> {
        store(ctx, input).await
    }

    /// Stores orders of practice packs by ID, up to 1,000 per call, all or none. Returns the number of orders
    /// that were added or changed.
    async fn mirror_practice_package_orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Up to 1,000 orders.")] input: Vec<PracticePackageOrderInput>,
    ) -> Result<usize> {
        store(ctx, input).await
    }

    /// Stores live practices by ID, up to 1,000 per call, all or none. Returns the number of practices that
    /// were added or changed.
    async fn mirror_discord_practices(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Up to 1,000 practices.")] input: Vec<DiscordPracticeInput>,
    ) -> Result<usize> {
        store(ctx, input).await
    }

    /// Stores teachers' submissions by ID, up to 1,000 per call, all or none. Returns the number of
    /// submissions that were added or changed. Each new or changed status is also added to the submission's
    /// history.
    async fn mirror_teacher_submissions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Up to 1,000 submissions.")] input: Vec<TeacherSubmissionInput>,
    ) -> Result<usize> {
        store(ctx, input).await
    }

    /// Stores or removes assignments of teachers to courses, up to 1,000 per call, all or none. Returns the
    /// number of assignments that were added, changed or removed.
    async fn mirror_course_teachers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Up to 1,000 assignments.")] input: Vec<CourseTeacherInput>,
    ) -> Result<usize> {
        store(ctx, input).await
    }
}

async fn store<S: RowInput>(ctx: &Context<'_>, input: Vec<S>) -> Result<usize> {
    let authority = Authority::of(ctx.viewer_who_may(Act::Mirror)?);
    let batch = Batch::read(input, S::read)?;
    let now = ctx.app().clock.now();
    let WriteSummary { rows, refused } =
        mirror::write(&mut *ctx.conn().await?, batch, authority, now).await?;
    if !refused.is_empty() {
        // In addition to the number of stored rows.
        let error = async_graphql::Error::from(Error::RowsDenied(refused));
        ctx.add_error(ctx.set_error_path(error.into_server_error(ctx.item.pos)));
    }
    Ok(rows)
}
