//! A reserved seat in a practice, and what becomes of it.

use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;

use super::calendar::Calendar;
use super::catalog::Catalog;
use super::events::Events;
use super::orders::{AllocatedSession, Orders};
use super::people::People;
use crate::models::mirrored::discord_practice::MirroredPractice;

/// The time after the end of a practice at which its attendance has been recorded.
pub const RECORDED_AFTER: TimeDelta = TimeDelta::hours(20);

/// The parts of the academy that practices depend on or change.
pub struct PracticeContext<'a, R> {
    pub people: &'a People,
    pub catalog: &'a Catalog,
    pub orders: &'a mut Orders,
    pub events: &'a mut Events<R>,
}

/// What becomes of a reservation.
#[derive(Clone, Copy)]
pub enum Outcome {
    /// The practice has not taken place yet, or its attendance is not recorded yet.
    Confirmed,
    /// The student attended.
    Attended,
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
        if practice.end_at <= calendar.now - RECORDED_AFTER { Self::Attended } else { Self::Confirmed }
    }
}

/// A seat that a student reserves.
pub struct Seat {
    pub user_id: i64,
    pub reserved_at: DateTime<Utc>,
    /// The session that pays for the seat.
    pub session: Option<AllocatedSession>,
}

impl Seat {
    /// Adds the events of the seat. Uses up or releases the session that pays for it.
    pub fn publish<R: Rng>(
        self,
        context: &mut PracticeContext<'_, R>,
        practice: &MirroredPractice,
        outcome: Outcome,
    ) {
        let Self { user_id, reserved_at, session } = self;
        let order_id = session.map(|session| context.orders.order_id(session));
        context.events.add_reservation(practice, user_id, order_id, reserved_at);
        match outcome {
            Outcome::Confirmed => {}
            Outcome::Attended => {
                if let Some(order_id) = order_id {
                    context.events.add_consumption(order_id, practice.end_at);
                }
            }
            Outcome::Cancelled(at) => {
                if let Some(session) = session {
                    context.orders.release(session);
                }
                context.events.add_cancellation(practice, user_id, at);
            }
        }
    }
}
