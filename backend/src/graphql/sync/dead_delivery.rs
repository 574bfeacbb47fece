//! Dead and expired deliveries.

use async_graphql::Object;
use chrono::{DateTime, Utc};
use domain::Driver;

use crate::id::Id;
use crate::models::telemetry_delivery::{self as deliveries, DeliveryPosition};
use crate::source::Cursor;

/// A dead or expired delivery.
pub struct DeadDelivery(pub deliveries::DeadDelivery);

#[Object]
impl DeadDelivery {
    /// ID of the player event.
    async fn event_id(&self) -> Id {
        Id(self.0.event_id)
    }

    /// The driver.
    async fn driver(&self) -> Driver {
        self.0.driver
    }

    /// Why it is dead: `refused`, `too_large`, `too_old`, `invalid`, `exhausted` or `ambiguous`, followed by a colon and the
    /// service's message if there is one.
    async fn reason(&self) -> String {
        let deliveries::DeadDelivery { state, error_class, error_code, error_message, http_status, .. } =
            &self.0;
        let class = error_class.as_deref().unwrap_or(state);
        let status = http_status.map(|status| status.to_string());
        let details: Vec<&str> = [status.as_deref(), error_code.as_deref(), error_message.as_deref()]
            .into_iter()
            .flatten()
            .collect();
        if details.is_empty() { class.to_owned() } else { format!("{class}: {}", details.join(" ")) }
    }

    /// Number of attempts. Attempts that the service asked to repeat later are not counted.
    async fn attempts(&self) -> i32 {
        self.0.attempts
    }

    /// When it was last attempted. Null if never.
    async fn last_attempt_at(&self) -> Option<DateTime<Utc>> {
        self.0.last_attempt_at
    }

    /// Whether the event may have been delivered, because a response was missing or unclear.
    async fn maybe_duplicate(&self) -> bool {
        self.0.maybe_duplicate
    }
}

/// The cursor of a delivery.
pub fn encode(row: &deliveries::DeadDelivery) -> String {
    let DeliveryPosition { recorded_at, event_id, driver } = row.position();
    format!("{}.{}", Cursor { at: recorded_at, id: event_id }.encode(), driver.key())
}

/// The position of a cursor.
pub fn decode(cursor: &str) -> Option<DeliveryPosition> {
    let (cursor, driver) = cursor.split_once('.')?;
    let Cursor { at, id } = Cursor::decode(cursor)?;
    let driver = Driver::parse(driver)?;
    Some(DeliveryPosition { recorded_at: at, event_id: id, driver })
}
