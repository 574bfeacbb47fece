//! What the academy's learning platform reports: events, which are published as a platform does it.

use chrono::{DateTime, Utc};
use domain::practice::ReservationStatus;
use rand::Rng;
use uuid::{Builder, Uuid};

use super::DemoError;
use crate::db::Connection;
use crate::models::mirrored::discord_practice::MirroredPractice;
use crate::models::mirrored::practice_package_order::MirroredOrder;
use crate::practices::events::apply;
use crate::practices::events::event::{Action, Escalate, PlatformEvent, Purchase, Reserve};
use crate::refusal::{MAX_EVENTS, Reason as _};

/// The events, in any order.
pub struct Events<R> {
    /// Generates the ids.
    rng: R,
    events: Vec<PlatformEvent>,
}

impl<R: Rng> Events<R> {
    /// No events yet.
    pub const fn new(rng: R) -> Self {
        Self { rng, events: Vec::new() }
    }

    /// Adds the purchase of a pack, whose pending order is mirrored.
    pub fn add_purchase(&mut self, order: &MirroredOrder, paid_at: DateTime<Utc>, reference: String) {
        let purchase = Purchase {
            practice_package_id: order.practice_package_id,
            user_id: order.user_id,
            order_id: Some(order.id),
            payment_reference: Some(reference),
            meta: None,
        };
        self.add(paid_at, Action::Purchase(purchase));
    }

    /// Adds the use of a session.
    pub fn add_consumption(&mut self, order_id: i64, at: DateTime<Utc>) {
        self.add(at, Action::Consume { order_id });
    }

    /// Adds a reservation, with the order whose session pays for it.
    pub fn add_reservation(
        &mut self,
        practice: &MirroredPractice,
        user_id: i64,
        order_id: Option<i64>,
        at: DateTime<Utc>,
    ) {
        let reserve = Reserve {
            practice_id: practice.id,
            user_id,
            reservation_id: None,
            status: ReservationStatus::Confirmed,
            order_id,
        };
        self.add(at, Action::Reserve(reserve));
    }

    /// Adds the cancellation of a reservation.
    pub fn add_cancellation(&mut self, practice: &MirroredPractice, user_id: i64, at: DateTime<Utc>) {
        self.add(at, Action::Cancel { practice_id: practice.id, user_id });
    }

    /// Adds the escalation of the requests for a lesson to its teachers.
    pub fn add_escalation(&mut self, lesson_id: i64, pending: i32, recipients: &[i64], at: DateTime<Utc>) {
        let escalate = Escalate {
            lesson_id,
            practice_id: None,
            pending_requests: pending,
            recipient_ids: recipients.to_vec(),
        };
        self.add(at, Action::Escalate(escalate));
    }

    fn add(&mut self, at: DateTime<Utc>, action: Action) {
        let id: Uuid = Builder::from_random_bytes(self.rng.random()).into_uuid();
        self.events.push(PlatformEvent { id, at, action });
    }

    /// The events in the order in which they occurred.
    pub fn into_sorted(self) -> Vec<PlatformEvent> {
        let mut events = self.events;
        events.sort_by_key(|event| event.at);
        events
    }
}

/// Publishes events. Fails if one of them is refused.
pub async fn publish(
    conn: &mut Connection,
    events: &[PlatformEvent],
    now: DateTime<Utc>,
) -> Result<(), DemoError> {
    for call in events.chunks(MAX_EVENTS) {
        for outcome in apply(conn, call, now).await? {
            outcome.map_err(|refusal| DemoError::Refused(refusal.reason.key()))?;
        }
    }
    Ok(())
}
