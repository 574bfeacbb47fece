//! How much is owed, and to whom.

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;

use crate::db::Connection;
use crate::db::schema::telemetry_deliveries as deliveries;
use crate::models::driver::Driver;

/// What is owed of events that a run has taken up once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Owed {
    /// Deliveries to GA4.
    pub ga4: i64,
    /// Deliveries to Mixpanel.
    pub mixpanel: i64,
    /// Events that owe any of them.
    pub events: i64,
}

impl Owed {
    /// Counts what is owed; takes as long as that is much, whatever was delivered before.
    pub async fn count(conn: &mut Connection) -> QueryResult<Self> {
        #[derive(QueryableByName)]
        struct Counted {
            #[diesel(sql_type = BigInt)]
            ga4: i64,
            #[diesel(sql_type = BigInt)]
            mixpanel: i64,
            #[diesel(sql_type = BigInt)]
            events: i64,
        }
        let owed = "FROM telemetry_deliveries WHERE state IN ('pending', 'in_flight', 'retry') AND driver =";
        let counted: Counted = sql_query(format!(
            "SELECT count(ga4) AS ga4, count(mixpanel) AS mixpanel, count(*) AS events \
             FROM (SELECT event_id AS ga4 {owed} $1) AS ga4 \
             FULL JOIN (SELECT event_id AS mixpanel {owed} $2) AS mixpanel ON ga4 = mixpanel"
        ))
        .bind::<Text, _>(Driver::Ga4.key())
        .bind::<Text, _>(Driver::Mixpanel.key())
        .get_result(conn)
        .await?;
        let Counted { ga4, mixpanel, events } = counted;
        Ok(Self { ga4, mixpanel, events })
    }

    /// Deliveries to this driver.
    pub const fn to(&self, driver: Driver) -> i64 {
        match driver {
            Driver::Ga4 => self.ga4,
            Driver::Mixpanel => self.mixpanel,
        }
    }
}

/// Whether any delivery is owed that this run had taken up last.
pub async fn is_owed_of_batch(conn: &mut Connection, run_id: i64) -> QueryResult<bool> {
    let owed = deliveries::table.filter(deliveries::batch_id.eq(run_id)).filter(deliveries::state.eq_any([
        "pending",
        "in_flight",
        "retry",
    ]));
    diesel::select(exists(owed)).get_result(conn).await
}
