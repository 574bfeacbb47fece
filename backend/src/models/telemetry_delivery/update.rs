//! An update of one delivery, and the states of deliveries.

use chrono::{DateTime, Utc};
use domain::Driver;

/// The state of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// The driver has accepted the event.
    Delivered,
    /// The event will be retried.
    Retry,
    /// The event will not be retried.
    Dead,
    /// The event is too old for the driver.
    Expired,
    /// The event was fetched but not sent.
    Pending,
}

impl DeliveryState {
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Retry => "retry",
            Self::Dead => "dead",
            Self::Expired => "expired",
            Self::Pending => "pending",
        }
    }

    pub(super) const fn is_final(self) -> bool {
        match self {
            Self::Delivered | Self::Dead | Self::Expired => true,
            Self::Retry | Self::Pending => false,
        }
    }
}

/// New values for the delivery of an event to a driver. They replace the stored values, so writing an update
/// twice has the same effect as writing it once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryUpdate {
    pub driver: Driver,
    pub event_id: i64,
    /// When the event happened.
    pub recorded_at: DateTime<Utc>,
    /// When the hub received the event.
    pub arrived_at: DateTime<Utc>,
    /// Whether the event already has a delivery for this driver.
    pub is_on_record: bool,
    /// Whether this was the only driver without a delivery when the event was fetched.
    pub is_last: bool,
    pub state: DeliveryState,
    /// Attempts that count towards the maximum.
    pub attempts: i32,
    /// Attempts without a response.
    pub unanswered: i32,
    /// Whether the driver may have received the event already, or may receive it twice.
    pub maybe_duplicate: bool,
    pub first_attempt_at: Option<DateTime<Utc>>,
    /// When the driver refused the event, if its previous response was a refusal. This is not stored.
    pub refused_before: Option<DateTime<Utc>>,
    /// `None` keeps the stored time.
    pub last_attempt_at: Option<DateTime<Utc>>,
    pub next_attempt_at: Option<DateTime<Utc>>,
    pub http_status: Option<i32>,
    /// The path that the event was sent to. `None` keeps the stored path.
    pub endpoint: Option<&'static str>,
    /// The kind of failure.
    pub error_class: Option<&'static str>,
    /// The service's error code.
    pub error_code: Option<String>,
    /// The service's error message.
    pub error_message: Option<String>,
}

impl DeliveryUpdate {
    pub(super) const fn key(&self) -> (i64, DateTime<Utc>) {
        (self.event_id, self.recorded_at)
    }
}
