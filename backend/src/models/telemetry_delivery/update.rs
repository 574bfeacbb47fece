//! An update of a delivery.

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
    /// The event was fetched and not sent.
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

/// What to write of one event's delivery to one driver. All values are absolute, so writing them twice is the same as
/// once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryUpdate {
    /// The driver.
    pub driver: Driver,
    /// The event.
    pub event_id: i64,
    /// When it happened.
    pub recorded_at: DateTime<Utc>,
    /// When it reached the hub.
    pub arrived_at: DateTime<Utc>,
    /// Whether the event has a delivery for this driver already.
    pub is_on_record: bool,
    /// Whether every other driver that it is pending for had a delivery of it when it was fetched.
    pub is_last: bool,
    /// Its new state.
    pub state: DeliveryState,
    /// Attempts that count.
    pub attempts: i32,
    /// Attempts that went unanswered.
    pub unanswered: i32,
    /// Whether the driver may have it already, or may get it twice.
    pub maybe_duplicate: bool,
    /// When it was first sent.
    pub first_attempt_at: Option<DateTime<Utc>>,
    /// When the driver refused it, if that was its latest response. It is not written.
    pub refused_before: Option<DateTime<Utc>>,
    /// When it was last sent; `None` leaves the stored time.
    pub last_attempt_at: Option<DateTime<Utc>>,
    /// When it may be retried.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// The response's HTTP status.
    pub http_status: Option<i32>,
    /// The path that it was sent to; `None` leaves the stored path.
    pub endpoint: Option<&'static str>,
    /// The kind of failure.
    pub error_class: Option<&'static str>,
    /// The driver's own code for it.
    pub error_code: Option<String>,
    /// The driver's message.
    pub error_message: Option<String>,
}

impl DeliveryUpdate {
    pub(super) const fn key(&self) -> (i64, DateTime<Utc>) {
        (self.event_id, self.recorded_at)
    }
}
