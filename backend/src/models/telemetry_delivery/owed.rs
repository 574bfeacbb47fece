//! How much is owed, and to whom.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;

use crate::db::Connection;
use crate::db::schema::{telemetry_deliveries as deliveries, telemetry_pending as pending};
use crate::models::driver::Driver;

/// What is owed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Owed {
    /// Events that no driver has a record of: they are owed to whichever are enabled.
    pub untouched: i64,
    /// Deliveries to GA4 of the others.
    pub ga4: i64,
    /// Deliveries to Mixpanel of the others.
    pub mixpanel: i64,
    /// Events that owe anything at all.
    pub events: i64,
    /// When the oldest of them happened.
    pub oldest: Option<DateTime<Utc>>,
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    untouched: i64,
    #[diesel(sql_type = BigInt)]
    ga4: i64,
    #[diesel(sql_type = BigInt)]
    mixpanel: i64,
    #[diesel(sql_type = BigInt)]
    events: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    oldest: Option<DateTime<Utc>>,
}

impl Owed {
    /// Counts what is owed; takes as long as that is much, whatever was delivered before.
    pub async fn count(conn: &mut Connection) -> QueryResult<Self> {
        let owed = "FROM telemetry_deliveries WHERE state IN ('pending', 'retry') AND driver =";
        let counted: Counted = sql_query(format!(
            "SELECT untouched, pending.ga4 + on_record.ga4 AS ga4, pending.mixpanel + on_record.mixpanel AS mixpanel, \
                 pending.events + on_record.events AS events, least(pending.oldest, on_record.oldest) AS oldest \
             FROM (SELECT count(*) AS events, count(*) FILTER (WHERE drivers IS NULL) AS untouched, \
                     count(*) FILTER (WHERE $1 = ANY (drivers)) AS ga4, \
                     count(*) FILTER (WHERE $2 = ANY (drivers)) AS mixpanel, min(recorded_at) AS oldest \
                 FROM telemetry_pending) AS pending, \
                 (SELECT count(ga4.event_id) AS ga4, count(mixpanel.event_id) AS mixpanel, \
                     count(*) FILTER (WHERE NOT EXISTS (SELECT FROM telemetry_pending AS pending \
                         WHERE pending.recorded_at = coalesce(ga4.recorded_at, mixpanel.recorded_at) \
                             AND pending.event_id = coalesce(ga4.event_id, mixpanel.event_id))) AS events, \
                     min(coalesce(ga4.recorded_at, mixpanel.recorded_at)) AS oldest \
                 FROM (SELECT event_id, recorded_at {owed} $1) AS ga4 \
                 FULL JOIN (SELECT event_id, recorded_at {owed} $2) AS mixpanel ON ga4.event_id = mixpanel.event_id) \
                 AS on_record"
        ))
        .bind::<Text, _>(Driver::Ga4.key())
        .bind::<Text, _>(Driver::Mixpanel.key())
        .get_result(conn)
        .await?;
        let Counted { untouched, ga4, mixpanel, events, oldest } = counted;
        Ok(Self { untouched, ga4, mixpanel, events, oldest })
    }

    /// Deliveries to this driver of events that some driver has a record of.
    pub const fn to(&self, driver: Driver) -> i64 {
        match driver {
            Driver::Ga4 => self.ga4,
            Driver::Mixpanel => self.mixpanel,
        }
    }
}

/// What is on record as owed, in the words of the indexes of it.
fn is_owed() -> SqlLiteral<Bool> {
    sql("state IN ('pending', 'retry')")
}

/// Whether any event owes anything.
pub async fn is_anything_owed(conn: &mut Connection) -> QueryResult<bool> {
    let is_pending: bool = diesel::select(diesel::dsl::exists(pending::table.select(pending::event_id)))
        .get_result(conn)
        .await?;
    if is_pending {
        return Ok(true);
    }
    let owed = deliveries::table.filter(is_owed());
    diesel::select(diesel::dsl::exists(owed)).get_result(conn).await
}

/// The newest run of which anything is still owed on record to any of these drivers.
pub async fn newest_batch_owed(conn: &mut Connection, drivers: &[Driver]) -> QueryResult<Option<i64>> {
    deliveries::table
        .filter(is_owed())
        .filter(deliveries::driver.eq_any(drivers.iter().map(|driver| driver.key())))
        .select(diesel::dsl::max(deliveries::batch_id))
        .first(conn)
        .await
}
