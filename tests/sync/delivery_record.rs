//! The delivery records of events.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::fixture::SyncFixture;

/// A row of `telemetry_deliveries` without the columns that differ from run to run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct DeliveryRecord {
    pub state: String,
    /// Attempts that count towards the limit.
    pub attempts: i32,
    /// Attempts without a conclusive response.
    pub unanswered: i32,
    pub maybe_duplicate: bool,
    pub http_status: Option<u16>,
    pub error_class: Option<String>,
}

impl DeliveryRecord {
    /// A record with this state and number of attempts, and no error.
    pub fn new(state: &str, attempts: i32) -> Self {
        Self {
            state: state.to_owned(),
            attempts,
            unanswered: 0,
            maybe_duplicate: false,
            http_status: None,
            error_class: None,
        }
    }

    /// An event that was not sent yet.
    pub fn unsent() -> Self {
        Self::new("pending", 0)
    }

    /// An event that was delivered at the first attempt.
    pub fn delivered() -> Self {
        Self::new("delivered", 1)
    }

    /// Sets the error class.
    pub fn error_class(self, error_class: &str) -> Self {
        Self { error_class: Some(error_class.to_owned()), ..self }
    }

    /// Sets the status of the last response.
    pub fn http_status(self, http_status: u16) -> Self {
        Self { http_status: Some(http_status), ..self }
    }

    /// Sets the number of attempts without a conclusive response.
    pub fn unanswered(self, unanswered: i32) -> Self {
        Self { unanswered, ..self }
    }

    /// The service may have stored the event already.
    pub fn maybe_duplicate(self) -> Self {
        Self { maybe_duplicate: true, ..self }
    }
}

impl SyncFixture {
    /// The delivery records of a driver, oldest events first.
    pub async fn records(&self, driver: &str) -> Vec<DeliveryRecord> {
        self.records_where(&format!("driver = '{driver}'")).await
    }

    /// The only delivery record of a driver.
    pub async fn record(&self, driver: &str) -> DeliveryRecord {
        let mut records = self.records(driver).await;
        assert_eq!(records.len(), 1, "expected one delivery record");
        records.remove(0)
    }

    /// The delivery records of an event, by driver.
    pub async fn records_of_event(&self, event_id: i64) -> Vec<DeliveryRecord> {
        self.records_where(&format!("event_id = {event_id}")).await
    }

    async fn records_where(&self, condition: &str) -> Vec<DeliveryRecord> {
        let select = format!(
            "SELECT state, attempts, unanswered, maybe_duplicate, http_status, error_class \
             FROM telemetry_deliveries WHERE {condition} ORDER BY recorded_at, event_id, driver"
        );
        serde_json::from_value(self.hub.rows(&select).await).unwrap()
    }

    /// The time next_attempt_at the next attempt for a driver's only event.
    pub async fn retry_delay(&self, driver: &str) -> TimeDelta {
        let select = format!("SELECT next_attempt_at FROM telemetry_deliveries WHERE driver = '{driver}'");
        let next_attempt_at = self.hub.rows(&select).await[0]["next_attempt_at"].take();
        serde_json::from_value::<DateTime<Utc>>(next_attempt_at).unwrap() - self.hub.clock.now()
    }
}
