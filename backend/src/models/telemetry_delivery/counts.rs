//! Counts of pending events and deliveries.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use domain::Driver;

use super::EventPosition;
use crate::db::Connection;
use crate::db::schema::{telemetry_deliveries as deliveries, telemetry_pending as pending};
use crate::models::telemetry_driver::EnabledDrivers;

/// The numbers of pending events and deliveries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PendingCounts {
    /// Deliveries that are pending for GA4.
    pub ga4: i64,
    /// Deliveries that are pending for Mixpanel.
    pub mixpanel: i64,
    /// Events that are pending for any enabled driver. If no driver is enabled, all events that were not
    /// sent.
    pub events: i64,
    /// When the hub received the oldest of these events.
    pub oldest: Option<DateTime<Utc>>,
}

#[derive(QueryableByName)]
struct CountsRow {
    #[diesel(sql_type = BigInt)]
    ga4: i64,
    #[diesel(sql_type = BigInt)]
    mixpanel: i64,
    #[diesel(sql_type = BigInt)]
    events: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    oldest: Option<DateTime<Utc>>,
}

impl PendingCounts {
    /// Counts up to `limit`, reading at most `limit` rows of each kind. A count that equals `limit` means "at
    /// least `limit`".
    pub async fn count(conn: &mut Connection, enabled: &EnabledDrivers, limit: i64) -> QueryResult<Self> {
        // If no driver is enabled, count all events that were not sent.
        let earliest = enabled.earliest().unwrap_or(EventPosition::START.recorded_at);
        let deliveries = "SELECT event_id, recorded_at, coalesce(arrived_at, recorded_at) AS arrived_at \
             FROM telemetry_deliveries WHERE state IN ('pending', 'retry') AND driver =";
        let oldest_first = "ORDER BY recorded_at, event_id LIMIT $6";
        let row: CountsRow = sql_query(format!(
            "SELECT pending.ga4 + on_record.ga4 AS ga4, pending.mixpanel + on_record.mixpanel AS mixpanel, \
                 pending.events + on_record.events AS events, least(pending.oldest, on_record.oldest) AS oldest \
             FROM (SELECT count(*) AS events, \
                     count(*) FILTER (WHERE $1 = ANY (drivers) OR drivers IS NULL AND recorded_at >= $3) AS ga4, \
                     count(*) FILTER (WHERE $2 = ANY (drivers) OR drivers IS NULL AND recorded_at >= $4) AS mixpanel, \
                     min(arrived_at) AS oldest \
                 FROM (SELECT recorded_at, drivers, arrived_at \
                     FROM telemetry_pending WHERE recorded_at >= $5 {oldest_first}) AS pending \
                 ) AS pending, \
                 (SELECT count(ga4.event_id) AS ga4, count(mixpanel.event_id) AS mixpanel, \
                     count(*) FILTER (WHERE NOT EXISTS (SELECT FROM telemetry_pending AS pending \
                         WHERE pending.recorded_at = coalesce(ga4.recorded_at, mixpanel.recorded_at) \
                             AND pending.event_id = coalesce(ga4.event_id, mixpanel.event_id))) AS events, \
                     min(least(ga4.arrived_at, mixpanel.arrived_at)) AS oldest \
                 FROM ({deliveries} $1 AND $7 {oldest_first}) AS ga4 \
                 FULL JOIN ({deliveries} $2 AND $8 {oldest_first}) AS mixpanel \
                     ON ga4.event_id = mixpanel.event_id) \
                 AS on_record"
        ))
        .bind::<Text, _>(Driver::Ga4.key())
        .bind::<Text, _>(Driver::Mixpanel.key())
        .bind::<Timestamptz, _>(enabled.pending_from(Driver::Ga4))
        .bind::<Timestamptz, _>(enabled.pending_from(Driver::Mixpanel))
        .bind::<Timestamptz, _>(earliest)
        .bind::<BigInt, _>(limit)
        .bind::<Bool, _>(enabled.sends_from(Driver::Ga4).is_some())
        .bind::<Bool, _>(enabled.sends_from(Driver::Mixpanel).is_some())
        .get_result(conn)
        .await?;
        let CountsRow { ga4, mixpanel, events, oldest } = row;
        Ok(Self { ga4: ga4.min(limit), mixpanel: mixpanel.min(limit), events: events.min(limit), oldest })
    }

    /// The number of deliveries that are pending for this driver.
    pub const fn for_driver(&self, driver: Driver) -> i64 {
        match driver {
            Driver::Ga4 => self.ga4,
            Driver::Mixpanel => self.mixpanel,
        }
    }
}

/// Whether a delivery is pending, written like the condition of the partial indexes.
fn is_pending() -> SqlLiteral<Bool> {
    sql("state IN ('pending', 'retry')")
}

/// Whether any event is pending for one of these drivers.
pub async fn has_pending(
    conn: &mut Connection,
    enabled: &EnabledDrivers,
    drivers: &[Driver],
) -> QueryResult<bool> {
    for driver in drivers {
        let without_delivery = pending::table
            .filter(pending::recorded_at.ge(enabled.pending_from(*driver)))
            .filter(
                sql::<Bool>("(drivers IS NULL OR ").bind::<Text, _>(driver.key()).sql(" = ANY (drivers))"),
            )
            .select(pending::event_id);
        let pending = deliveries::table.filter(is_pending()).filter(deliveries::driver.eq(driver.key()));
        if diesel::select(diesel::dsl::exists(without_delivery)).get_result(conn).await?
            || diesel::select(diesel::dsl::exists(pending)).get_result(conn).await?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The newest run that has a pending delivery for one of these drivers.
pub async fn newest_pending_batch(conn: &mut Connection, drivers: &[Driver]) -> QueryResult<Option<i64>> {
    deliveries::table
        .filter(is_pending())
        .filter(deliveries::driver.eq_any(drivers.iter().map(|driver| driver.key())))
        .select(diesel::dsl::max(deliveries::batch_id))
        .first(conn)
        .await
}
