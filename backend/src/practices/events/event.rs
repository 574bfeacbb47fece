//! Events of the learning platform, as far as they are valid without the database.

use chrono::{DateTime, Utc};
use domain::practice::ReservationStatus;
use serde_json::Value;
use uuid::Uuid;

/// The kind of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// A student reserved a seat in a practice.
    PracticeReserved,
    /// A student gave a seat back.
    ReservationCancelled,
    /// A student bought a practice pack.
    PracticePackagePurchased,
    /// A session of a pack was used.
    PracticeSessionConsumed,
    /// Teachers were notified that students ask for a practice.
    PracticeRequestEscalated,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::PracticeReserved,
        Self::ReservationCancelled,
        Self::PracticePackagePurchased,
        Self::PracticeSessionConsumed,
        Self::PracticeRequestEscalated,
    ];

    /// The kind's name in the database and in metrics.
    pub const fn key(self) -> &'static str {
        match self {
            Self::PracticeReserved => "practice_reserved",
            Self::ReservationCancelled => "reservation_cancelled",
            Self::PracticePackagePurchased => "practice_package_purchased",
            Self::PracticeSessionConsumed => "practice_session_consumed",
            Self::PracticeRequestEscalated => "practice_request_escalated",
        }
    }

    /// The name of the field with an event of this kind.
    pub const fn field(self) -> &'static str {
        match self {
            Self::PracticeReserved => "practiceReserved",
            Self::ReservationCancelled => "reservationCancelled",
            Self::PracticePackagePurchased => "practicePackagePurchased",
            Self::PracticeSessionConsumed => "practiceSessionConsumed",
            Self::PracticeRequestEscalated => "practiceRequestEscalated",
        }
    }
}

/// An event of the platform.
#[derive(Clone, Debug, PartialEq)]
pub struct PlatformEvent {
    /// Id that the platform assigned. An event with the id of an applied one is not applied.
    pub id: Uuid,
    /// When it occurred.
    pub at: DateTime<Utc>,
    pub action: Action,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// A student reserved a seat in a practice.
    Reserve(Reserve),
    /// A student gave a seat back.
    Cancel {
        /// The practice.
        practice_id: i64,
        /// The student.
        user_id: i64,
    },
    /// A student bought a practice pack. The time of the event is the time of the payment.
    Purchase(Purchase),
    /// A session of a pack was used.
    Consume {
        /// The order of the pack.
        order_id: i64,
    },
    /// Teachers were notified that students ask for a practice.
    Escalate(Escalate),
}

/// A reservation of a seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reserve {
    pub practice_id: i64,
    /// The student.
    pub user_id: i64,
    /// The platform's id of the reservation. By default the hub assigns one.
    pub reservation_id: Option<i64>,
    /// Pending or confirmed.
    pub status: ReservationStatus,
    /// The order whose session pays for the seat.
    pub order_id: Option<i64>,
}

/// A purchase of a practice pack.
#[derive(Clone, Debug, PartialEq)]
pub struct Purchase {
    pub practice_package_id: i64,
    /// The student.
    pub user_id: i64,
    /// The platform's id of the order. By default the hub assigns one.
    pub order_id: Option<i64>,
    /// Reference of the payment at the payment provider.
    pub payment_reference: Option<String>,
    /// Additional data from the platform.
    pub meta: Option<Value>,
}

/// An escalation of requests for a practice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escalate {
    pub lesson_id: i64,
    pub practice_id: Option<i64>,
    /// The number of requests that wait for an answer.
    pub pending_requests: i32,
    /// The users who were notified, each once.
    pub recipient_ids: Vec<i64>,
}

impl PlatformEvent {
    /// The kind of the event.
    pub const fn kind(&self) -> EventKind {
        match self.action {
            Action::Reserve(_) => EventKind::PracticeReserved,
            Action::Cancel { .. } => EventKind::ReservationCancelled,
            Action::Purchase(_) => EventKind::PracticePackagePurchased,
            Action::Consume { .. } => EventKind::PracticeSessionConsumed,
            Action::Escalate(_) => EventKind::PracticeRequestEscalated,
        }
    }
}
