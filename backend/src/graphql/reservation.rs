//! The reservations of a practice.

use async_graphql::{ComplexObject, Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::access::{CourseScope, Denied, Role};
use domain::dataset::FilterKey;
use domain::filter::parse_id;
use domain::text::Text;
use domain::{Dataset, Filter, Grant, Viewer};
use futures_util::FutureExt as _;

use super::connection::{List, ListPage, Total, list_cost};
use super::context::ContextExt as _;
use crate::auth::grant;
use crate::db::Connection;
use crate::error::{Error, Result, SharedError};
use crate::id::Id;
use crate::models::practice::Practice;
use crate::models::reservation::Reservation;
use crate::models::user_email::user_email;

const PRACTICE_NOT_FOUND: Text = Text::new("Esta práctica no existe.", "This practice does not exist.");

/// The reservations of a practice.
#[derive(Default)]
pub struct ReservationQuery;

#[Object]
impl ReservationQuery {
    /// The reservations of a practice with what became of them, sorted by ID, for callers who may read the practice.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN, also for a practice of a course that is not assigned to a Teacher Admin;
    /// NOT_FOUND; BAD_USER_INPUT.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn practice_reservations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the practice.")] practice_id: Id,
        #[graphql(desc = "Maximum number of items, 0–500. Default 50.", default = 50)] first: Option<i32>,
        #[graphql(desc = "Only reservations after this cursor.")] after: Option<String>,
    ) -> Result<List<PracticeReservation>> {
        let viewer = ctx.viewer()?;
        let page = ListPage::new(first.unwrap_or(50), after.as_deref(), |cursor| parse_id(cursor).ok())?;
        let conn = &mut *ctx.conn().await?;
        let practice = practice_id.0;
        check_access(conn, viewer, practice).await?;
        let rows = Reservation::page(conn, practice, page.after.unwrap_or_default(), page.limit()).await?;
        let total = Total::new(move |conn| Reservation::count(conn, practice).boxed());
        page.connection(rows, |row| row.id.to_string(), |row| Ok(PracticeReservation::from(row)), total)
    }
}

/// Checks that the viewer may read the practice.
async fn check_access(conn: &mut Connection, viewer: &Viewer, practice: i64) -> Result<()> {
    let dataset = Dataset::DiscordPractices;
    let Some(course) = Practice::course(conn, practice).await? else {
        if !viewer.may_see(dataset) {
            Grant::to_read(viewer, dataset, Filter::default())?;
        }
        return Err(match (viewer.role, &viewer.courses) {
            // Does not reveal whether the practice exists in another course.
            (Role::TeacherAdmin, CourseScope::Assigned(_)) => Denied::CourseNotAssigned.into(),
            _ => Error::NotFound(PRACTICE_NOT_FOUND.into()),
        });
    };
    let course = course.to_string();
    let filter = Filter::parse(dataset, [(FilterKey::COURSE_ID.key(), course.as_str())])?;
    grant::to_read(conn, viewer, dataset, filter).await?;
    Ok(())
}

/// A reservation of a seat in a practice.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct PracticeReservation {
    /// ID of the reservation.
    id: Id,
    /// ID of the student.
    user_id: Id,
    /// `pending`, `confirmed`, `attended` or `cancelled`. Only cancelled ones take no seat.
    status: &'static str,
    /// ID of the order whose session pays for the seat.
    order_id: Option<Id>,
    /// When it was made.
    reserved_at: DateTime<Utc>,
    /// When it was cancelled.
    cancelled_at: Option<DateTime<Utc>>,
    /// Until when the student attended.
    attended_at: Option<DateTime<Utc>>,
    /// When a snapshot of the attendance or the cancellation was recorded.
    outcome_recorded_at: Option<DateTime<Utc>>,
}

#[ComplexObject]
impl PracticeReservation {
    /// E-mail address of the student.
    async fn user_email(&self, ctx: &Context<'_>) -> Result<String, SharedError> {
        user_email(ctx, self.user_id).await
    }
}

impl From<Reservation> for PracticeReservation {
    fn from(row: Reservation) -> Self {
        Self {
            id: Id(row.id),
            user_id: Id(row.user_id),
            status: row.status.key(),
            order_id: row.order_id.map(Id),
            reserved_at: row.reserved_at,
            cancelled_at: row.cancelled_at,
            attended_at: row.attended_at,
            outcome_recorded_at: row.outcome_recorded_at,
        }
    }
}
