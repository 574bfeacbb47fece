//! A reserved seat in a practice, and the outcome of the reservation.

use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;

use super::calendar::Calendar;
use super::catalog::Catalog;
use super::orders::{AllocatedSession, Orders};
use super::people::People;
use super::reservation::NewReservation;
use super::snapshots::Snapshots;
use crate::models::mirrored::discord_practice::MirroredPractice;

/// The time after the end of a practice at which its attendance has been recorded.
pub const RECORDED_AFTER: TimeDelta = TimeDelta::hours(20);

/// The parts of the academy that practices depend on or change.
pub struct PracticeContext<'a> {
    pub people: &'a People,
    pub catalog: &'a Catalog,
    pub orders: &'a mut Orders,
    pub snapshots: &'a mut Snapshots,
}

/// The outcome of a reservation so far.
#[derive(Clone, Copy)]
pub enum Outcome {
    /// The practice has not taken place yet.
    Confirmed,
    /// The student attended at this time.
    Attended(DateTime<Utc>),
    /// The reservation was cancelled at this time.
    Cancelled(DateTime<Utc>),
}

impl Outcome {
    /// Generates an outcome. If the practice is cancelled, so are its reservations.
    pub fn generate(
        rng: &mut impl Rng,
        calendar: Calendar,
        practice: &MirroredPractice,
        reserved_at: DateTime<Utc>,
    ) -> Self {
        let latest = practice.start_at.min(calendar.now);
        let student_cancels = rng.random_ratio(12, 100);
        if practice.status == "cancelled" || student_cancels {
            let seconds = (latest - reserved_at).num_seconds().max(2);
            // The smaller of two values, so that cancellations cluster close to the start.
            let left = rng.random_range(1..seconds).min(rng.random_range(1..seconds));
            return Self::Cancelled(latest - TimeDelta::seconds(left));
        }
        match &*practice.status {
            "completed" => {
                Self::Attended(practice.start_at + TimeDelta::seconds(rng.random_range(-240..600)))
            }
            _ => Self::Confirmed,
        }
    }
}

/// A seat that a student reserves.
pub struct Seat {
    /// The id of the reservation.
    pub id: i64,
    pub user_id: i64,
    pub reserved_at: DateTime<Utc>,
    /// The session that pays for the seat.
    pub session: Option<AllocatedSession>,
}

impl Seat {
    /// The reservation with its outcome. Uses up or releases the session that pays for it.
    pub fn into_reservation(
        self,
        calendar: Calendar,
        context: &mut PracticeContext<'_>,
        practice: &MirroredPractice,
        outcome: Outcome,
    ) -> NewReservation {
        let Self { id, user_id, reserved_at, session } = self;
        let order_id = session.map(|session| context.orders.order_id(session));
        let (status, cancelled_at, attended_at) = match outcome {
            Outcome::Confirmed => ("confirmed", None, None),
            Outcome::Attended(at) => {
                if let Some(session) = session {
                    let order = context.orders.consume(session);
                    context.snapshots.add_consumption(context.catalog, order, practice.end_at);
                }
                ("attended", None, Some(at))
            }
            Outcome::Cancelled(at) => {
                session.inspect(|session| context.orders.release(*session));
                ("cancelled", Some(at), None)
            }
        };
        // The command that records outcomes skips cancelled practices.
        let is_recorded = practice.status == "completed" && practice.end_at < calendar.now - RECORDED_AFTER;
        NewReservation {
            id,
            practice_id: practice.id,
            user_id,
            status,
            order_id,
            reserved_at,
            cancelled_at,
            attended_at,
            outcome_recorded_at: is_recorded.then(|| practice.end_at + TimeDelta::minutes(60)),
        }
    }
}
