//! A seat in a practice: who reserved it, and how that ended.

use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;

use super::calendar::Calendar;
use super::orders::Promise;
use super::practices::{Hosts, RECORDED_AFTER};
use crate::models::discord_practice_reservation::NewReservation;
use crate::models::mirrored::discord_practice::MirroredPractice;

/// How a reservation ends, as far as it has.
#[derive(Clone, Copy)]
pub enum Outcome {
    /// It stands.
    Confirmed,
    /// The student came.
    Attended(DateTime<Utc>),
    /// It was cancelled.
    Cancelled(DateTime<Utc>),
}

impl Outcome {
    /// How a reservation of that time ends; a practice that is cancelled takes all of them with it.
    pub fn of(
        rng: &mut impl Rng,
        calendar: Calendar,
        practice: &MirroredPractice,
        reserved_at: DateTime<Utc>,
    ) -> Self {
        let latest = practice.start_at.min(calendar.now);
        let given_up = rng.random_ratio(12, 100);
        if practice.status == "cancelled" || given_up {
            let seconds = (latest - reserved_at).num_seconds().max(2);
            // Most think of it early; some in the last hours.
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

/// A seat that somebody takes.
pub struct Seat {
    /// The reservation's id.
    pub id: i64,
    /// Who takes it.
    pub user_id: i64,
    /// Since when.
    pub reserved_at: DateTime<Utc>,
    /// The session that pays for it.
    pub promise: Option<Promise>,
}

impl Seat {
    /// The reservation with its outcome, for which a session is taken or given back.
    pub fn take(
        self,
        calendar: Calendar,
        hosts: &mut Hosts<'_>,
        practice: &MirroredPractice,
        outcome: Outcome,
    ) -> NewReservation {
        let Self { id, user_id, reserved_at, promise } = self;
        let order_id = promise.map(|promise| hosts.orders.id(promise));
        let (status, cancelled_at, attended_at) = match outcome {
            Outcome::Confirmed => ("confirmed", None, None),
            Outcome::Attended(at) => {
                if let Some(promise) = promise {
                    let order = hosts.orders.consume(promise);
                    hosts.snapshots.of_consumption(hosts.catalog, order, practice.end_at);
                }
                ("attended", None, Some(at))
            }
            Outcome::Cancelled(at) => {
                promise.inspect(|promise| hosts.orders.release(*promise));
                ("cancelled", Some(at), None)
            }
        };
        // The command that records outcomes passes cancelled practices by.
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
