//! Dead and expired deliveries: refused, out of attempts, or too old.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use domain::Driver;

use crate::db::Connection;
use crate::db::schema::telemetry_deliveries as deliveries;

/// A dead or expired delivery.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = deliveries)]
pub struct DeadDelivery {
    pub event_id: i64,
    /// When the event happened.
    pub recorded_at: DateTime<Utc>,
    #[diesel(deserialize_as = String)]
    pub driver: Driver,
    /// `dead` or `expired`.
    pub state: String,
    pub attempts: i32,
    /// The HTTP status of the last response.
    pub http_status: Option<i32>,
    /// The kind of failure.
    pub error_class: Option<String>,
    /// The service's error code.
    pub error_code: Option<String>,
    /// The service's error message.
    pub error_message: Option<String>,
    /// Whether the driver may have received the event anyway.
    pub maybe_duplicate: bool,
    pub last_attempt_at: Option<DateTime<Utc>>,
}

/// A position in the order of [`DeadDelivery::page`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryPosition {
    pub recorded_at: DateTime<Utc>,
    pub event_id: i64,
    pub driver: Driver,
}

const STATES: [&str; 2] = ["dead", "expired"];

impl DeadDelivery {
    /// Its position in the order of [`Self::page`].
    pub const fn position(&self) -> DeliveryPosition {
        DeliveryPosition { recorded_at: self.recorded_at, event_id: self.event_id, driver: self.driver }
    }

    /// Dead and expired deliveries, newest events first, after the given position.
    pub async fn page(
        conn: &mut Connection,
        driver: Option<Driver>,
        after: Option<DeliveryPosition>,
        limit: i64,
    ) -> QueryResult<Vec<Self>> {
        let mut page = deliveries::table
            .filter(deliveries::state.eq_any(STATES))
            .select(Self::as_select())
            .order((deliveries::recorded_at.desc(), deliveries::event_id.desc(), deliveries::driver.desc()))
            .limit(limit)
            .into_boxed();
        if let Some(driver) = driver {
            page = page.filter(deliveries::driver.eq(driver.key()));
        }
        if let Some(DeliveryPosition { recorded_at, event_id, driver }) = after {
            page = page.filter(
                sql::<Bool>("(recorded_at, event_id, driver) < (")
                    .bind::<Timestamptz, _>(recorded_at)
                    .sql(", ")
                    .bind::<BigInt, _>(event_id)
                    .sql(", ")
                    .bind::<Text, _>(driver.key())
                    .sql(")"),
            );
        }
        page.load(conn).await
    }

    /// The number of a driver's dead and expired deliveries, counted up to `limit`.
    pub async fn count_up_to(conn: &mut Connection, driver: Driver, limit: i64) -> QueryResult<i64> {
        #[derive(QueryableByName)]
        struct CountRow {
            #[diesel(sql_type = BigInt)]
            count: i64,
        }
        let row: CountRow = sql_query(
            "SELECT count(*) FROM (SELECT FROM telemetry_deliveries \
                 WHERE driver = $1 AND state IN ('dead', 'expired') ORDER BY recorded_at, event_id LIMIT $2) AS dead",
        )
        .bind::<Text, _>(driver.key())
        .bind::<BigInt, _>(limit)
        .get_result(conn)
        .await?;
        Ok(row.count)
    }

    /// The number of dead and expired deliveries, of one driver or of all.
    pub async fn count(conn: &mut Connection, driver: Option<Driver>) -> QueryResult<i64> {
        let mut all = deliveries::table.filter(deliveries::state.eq_any(STATES)).into_boxed();
        if let Some(driver) = driver {
            all = all.filter(deliveries::driver.eq(driver.key()));
        }
        all.count().get_result(conn).await
    }
}

/// When this driver last accepted an event.
pub async fn last_delivered_at(conn: &mut Connection, driver: Driver) -> QueryResult<Option<DateTime<Utc>>> {
    deliveries::table
        .filter(deliveries::driver.eq(driver.key()))
        .filter(deliveries::state.eq("delivered"))
        .select(sql::<Nullable<Timestamptz>>("max(delivered_at)"))
        .first(conn)
        .await
}
