//! What the learning platform sends to be mirrored: one mutation a table.

mod assignment;
mod course;
mod order;
mod package;
mod practice;
pub(super) mod sent;
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

/// The mirror of the learning platform.
#[derive(Default)]
pub struct MirrorMutation;

/// An input that states all of one row.
trait Statement: Sized + Send {
    /// The row.
    type Row: Mirrored;

    /// The row, if nothing is wrong with the input's fields.
    fn read(self, fields: &mut Reader) -> Option<Self::Row>;
}

/// Each takes up to 1,000 rows a call and stores all of them or none, by their ids, however often they are sent. What
/// a row leaves out is set to its default. The answer is the number of rows that were written: new, changed or removed.
/// Errors: UNAUTHENTICATED, FORBIDDEN, BAD_USER_INPUT (every wrong field by index and name, as `input[3].email`; two
/// rows of one id are wrong), CONFLICT (the rows met another change; send them again), RATE_LIMITED (somebody else holds
/// the rows; send them again after `retryAfterSeconds`).
#[Object]
impl MirrorMutation {
    /// Stores users by id. Passwords, languages and time zones are not touched; who is not active any more is signed
    /// out at once; who was erased stays erased. Up to 1,000 a call; answers with how many were written.
    ///
    /// Only an admin's own sign-in, not a token, may make an admin, grant manage-settings, or change an admin or an
    /// account that has a password here, its e-mail address included. From anybody else such rows are refused and the
    /// others are stored: beside the number stands an error FORBIDDEN whose `fields` name the refused rows. Rows that
    /// state such an account as it is are no change.
    async fn mirror_users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Up to 1,000 users.")] input: Vec<UserInput>,
    ) -> Result<usize> {
        store(ctx, input).await
    }

    /// Stores courses by id. Up to 1,000 a call, all or none; answers with how many were written.
    async fn mirror_courses(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Up to 1,000 courses.")] input: Vec<CourseInput>,
    ) -> Result<usize> {
        store(ctx, input).await
    }

    /// Stores lessons by id. Up to 1,000 a call, all or none; answers with how many were written.
    async fn mirror_lessons(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Up to 1,000 lessons.")] input: Vec<LessonInput>,
    ) -> Result<usize> {
        store(ctx, input).await
    }

    /// Stores practice packs by id. Up to 1,000 a call, all or none; answers with how many were written.
    async fn mirror_practice_packages(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Up to 1,000 practice packs.")] input: Vec<PracticePackageInput>,
    ) -> Result<usize> {
        store(ctx, input).await
    }

    /// Stores orders of practice packs by id. Up to 1,000 a call, all or none; answers with how many were written.
    async fn mirror_practice_package_orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Up to 1,000 orders.")] input: Vec<PracticePackageOrderInput>,
    ) -> Result<usize> {
        store(ctx, input).await
    }

    /// Stores live practices by id. Up to 1,000 a call, all or none; answers with how many were written.
    async fn mirror_discord_practices(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Up to 1,000 practices.")] input: Vec<DiscordPracticeInput>,
    ) -> Result<usize> {
        store(ctx, input).await
    }

    /// Stores teachers' submissions by id, and a line of their history where the status is new or changed. Up to 1,000
    /// a call, all or none; answers with how many were written.
    async fn mirror_teacher_submissions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Up to 1,000 submissions.")] input: Vec<TeacherSubmissionInput>,
    ) -> Result<usize> {
        store(ctx, input).await
    }

    /// Stores which teacher is assigned to which course, or is no longer. Up to 1,000 a call, all or none; answers with
    /// how many assignments were made, changed or removed.
    async fn mirror_course_teachers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Up to 1,000 assignments.")] input: Vec<CourseTeacherInput>,
    ) -> Result<usize> {
        store(ctx, input).await
    }
}

async fn store<S: Statement>(ctx: &Context<'_>, input: Vec<S>) -> Result<usize> {
    let authority = Authority::of(ctx.viewer_who_may(Act::Mirror)?);
    let batch = Batch::read(input, S::read)?;
    let now = ctx.app().clock.now();
    let WriteSummary { rows, refused } =
        mirror::write(&mut *ctx.conn().await?, batch, authority, now).await?;
    if !refused.is_empty() {
        // Beside the number, which tells of the others.
        let error = async_graphql::Error::from(Error::RowsDenied(refused));
        ctx.add_error(ctx.set_error_path(error.into_server_error(ctx.item.pos)));
    }
    Ok(rows)
}
