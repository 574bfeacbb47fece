//! Dead and expired deliveries.

use async_graphql::Object;
use chrono::{DateTime, Utc};

use crate::id::Id;
use crate::models::driver::Driver;
use crate::models::telemetry_delivery::{self as deliveries, Place};
use crate::source::Cursor;

/// A delivery that was given up.
pub struct DeadDelivery(pub deliveries::DeadDelivery);

#[Object]
impl DeadDelivery {
    /// The player event.
    async fn event_id(&self) -> Id {
        Id(self.0.event_id)
    }

    /// The driver that did not get it.
    async fn driver(&self) -> Driver {
        self.0.driver
    }

    /// Why: a word such as `refused`, `too_large`, `too_old`, `invalid`, `exhausted` or `ambiguous`, and after a colon
    /// what the service said, if it said anything.
    async fn reason(&self) -> String {
        let deliveries::DeadDelivery { state, error_class, error_code, error_message, http_status, .. } =
            &self.0;
        let class = error_class.as_deref().unwrap_or(state);
        let status = http_status.map(|status| status.to_string());
        let said: Vec<&str> = [status.as_deref(), error_code.as_deref(), error_message.as_deref()]
            .into_iter()
            .flatten()
            .collect();
        if said.is_empty() { class.to_owned() } else { format!("{class}: {}", said.join(" ")) }
    }

    /// Times that it was tried; what a service put off by a pause does not count.
    async fn attempts(&self) -> i32 {
        self.0.attempts
    }

    /// When it was last tried; null when it never was.
    async fn last_attempt_at(&self) -> Option<DateTime<Utc>> {
        self.0.last_attempt_at
    }

    /// Whether it may be there all the same, since an answer never came or did not tell.
    async fn maybe_duplicate(&self) -> bool {
        self.0.maybe_duplicate
    }
}

/// Where a delivery stands in the list.
pub fn cursor(row: &deliveries::DeadDelivery) -> String {
    let Place { recorded_at, event_id, driver } = row.place();
    format!("{}.{}", Cursor { at: recorded_at, id: event_id }.encode(), driver.key())
}

/// The place that a cursor means.
pub fn place(cursor: &str) -> Option<Place> {
    let (cursor, driver) = cursor.split_once('.')?;
    let Cursor { at, id } = Cursor::decode(cursor)?;
    let driver = Driver::ALL.into_iter().find(|known| known.key() == driver)?;
    Some(Place { recorded_at: at, event_id: id, driver })
}
