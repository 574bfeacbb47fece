//! What a verdict says of a delivery.

use chrono::{DateTime, Utc};

use crate::models::driver::Driver;

/// What becomes of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// The driver has the event.
    Delivered,
    /// It is sent again.
    Retry,
    /// It is given up.
    Dead,
    /// It is too old to be sent.
    Expired,
    /// It was taken up and not sent.
    Pending,
}

impl Judged {
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

/// What is to be on record of one event at one driver from now on. All of it stands for itself: written down twice, it
/// says the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The driver.
    pub driver: Driver,
    /// The event.
    pub event_id: i64,
    /// When it happened.
    pub recorded_at: DateTime<Utc>,
    /// When it reached the hub.
    pub arrived_at: DateTime<Utc>,
    /// Whether there is a record of it at this driver already.
    pub is_on_record: bool,
    /// Whether all other drivers that it is owed to have a record of it, as far as was known when it was taken up.
    pub is_last: bool,
    /// What becomes of it.
    pub state: Judged,
    /// Times that it was sent and that count.
    pub attempts: i32,
    /// How many of them were not answered.
    pub unanswered: i32,
    /// Whether it may be there, or be there twice once it is sent again.
    pub maybe_duplicate: bool,
    /// When it was first sent.
    pub first_attempt_at: Option<DateTime<Utc>>,
    /// When the driver refused it before, if that was the last that it said of it. It is not written.
    pub refused_before: Option<DateTime<Utc>>,
    /// When it was last sent; as it was, if it was not sent now.
    pub last_attempt_at: Option<DateTime<Utc>>,
    /// Not to be sent again before this.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// The answer's HTTP status.
    pub http_status: Option<i32>,
    /// Where it was sent, without a query; as it was, if it was not sent now.
    pub endpoint: Option<&'static str>,
    /// The kind of failure.
    pub error_class: Option<&'static str>,
    /// The driver's own code for it.
    pub error_code: Option<String>,
    /// What the driver said.
    pub error_message: Option<String>,
}

impl Judgement {
    pub(super) const fn key(&self) -> (i64, DateTime<Utc>) {
        (self.event_id, self.recorded_at)
    }
}
