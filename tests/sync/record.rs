//! What is on record of an event at a driver.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::ground::Ground;

/// A delivery record, without what differs from run to run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Record {
    pub state: String,
    /// Times that it was sent and that counted.
    pub attempts: i32,
    /// How many of them no answer came to.
    pub unanswered: i32,
    pub maybe_duplicate: bool,
    pub http_status: Option<u16>,
    pub error_class: Option<String>,
}

impl Record {
    /// The first word of a record.
    pub fn of(state: &str, attempts: i32) -> Self {
        Self {
            state: state.to_owned(),
            attempts,
            unanswered: 0,
            maybe_duplicate: false,
            http_status: None,
            error_class: None,
        }
    }

    /// What nobody has sent yet.
    pub fn untouched() -> Self {
        Self::of("pending", 0)
    }

    /// What was sent once, and is there.
    pub fn delivered() -> Self {
        Self::of("delivered", 1)
    }

    /// For this reason.
    pub fn because(self, error_class: &str) -> Self {
        Self { error_class: Some(error_class.to_owned()), ..self }
    }

    /// The answer's status being this.
    pub fn answered(self, http_status: u16) -> Self {
        Self { http_status: Some(http_status), ..self }
    }

    /// So many times without an answer.
    pub fn unanswered(self, unanswered: i32) -> Self {
        Self { unanswered, ..self }
    }

    /// It may be there already.
    pub fn doubtful(self) -> Self {
        Self { maybe_duplicate: true, ..self }
    }
}

impl Ground {
    /// The delivery records of a driver, those of the oldest events first.
    pub async fn records(&self, driver: &str) -> Vec<Record> {
        self.records_where(&format!("driver = '{driver}'")).await
    }

    /// The delivery record of a driver's only event.
    pub async fn record(&self, driver: &str) -> Record {
        let mut records = self.records(driver).await;
        assert_eq!(records.len(), 1, "there is one event");
        records.remove(0)
    }

    /// The delivery records of an event.
    pub async fn records_of(&self, event_id: i64) -> Vec<Record> {
        self.records_where(&format!("event_id = {event_id}")).await
    }

    async fn records_where(&self, condition: &str) -> Vec<Record> {
        let select = format!(
            "SELECT state, attempts, unanswered, maybe_duplicate, http_status, error_class \
             FROM telemetry_deliveries WHERE {condition} ORDER BY recorded_at, event_id, driver"
        );
        serde_json::from_value(self.hub.rows(&select).await).unwrap()
    }

    /// For how long from now on a driver's only event is not to be sent again.
    pub async fn put_off_for(&self, driver: &str) -> TimeDelta {
        let select = format!("SELECT next_attempt_at FROM telemetry_deliveries WHERE driver = '{driver}'");
        let until = self.hub.rows(&select).await[0]["next_attempt_at"].take();
        serde_json::from_value::<DateTime<Utc>>(until).unwrap() - self.hub.clock.now()
    }
}
