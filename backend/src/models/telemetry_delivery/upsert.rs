//! Inserts or updates deliveries.

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use domain::Driver;

use super::DeliveryUpdate;
use super::record::RecordContext;
use crate::db::Connection;

/// Inserts or updates the deliveries of one driver.
pub(super) async fn upsert(
    conn: &mut Connection,
    context: &RecordContext,
    driver: Driver,
    updates: &[&DeliveryUpdate],
    may_exist: bool,
) -> QueryResult<()> {
    if updates.is_empty() {
        return Ok(());
    }
    let columns = Columns::of(updates);
    let RecordContext { run_id, now, .. } = *context;
    Upsert { columns, driver: driver.key(), run_id, now, may_exist }.execute(conn).await?;
    Ok(())
}

/// One array per column.
struct Columns<'a> {
    event_ids: Vec<i64>,
    recorded_at: Vec<DateTime<Utc>>,
    arrived_at: Vec<DateTime<Utc>>,
    states: Vec<&'static str>,
    attempts: Vec<i32>,
    unanswered: Vec<i32>,
    maybe_duplicate: Vec<bool>,
    first_attempts: Vec<Option<DateTime<Utc>>>,
    last_attempts: Vec<Option<DateTime<Utc>>>,
    next_attempts: Vec<Option<DateTime<Utc>>>,
    http_statuses: Vec<Option<i32>>,
    endpoints: Vec<Option<&'static str>>,
    error_classes: Vec<Option<&'static str>>,
    error_codes: Vec<Option<&'a str>>,
    error_messages: Vec<Option<&'a str>>,
}

impl<'a> Columns<'a> {
    fn of(updates: &[&'a DeliveryUpdate]) -> Self {
        fn column<'j, T>(updates: &[&'j DeliveryUpdate], value: impl Fn(&'j DeliveryUpdate) -> T) -> Vec<T> {
            updates.iter().map(|update| value(update)).collect()
        }
        Self {
            event_ids: column(updates, |update| update.event_id),
            recorded_at: column(updates, |update| update.recorded_at),
            arrived_at: column(updates, |update| update.arrived_at),
            states: column(updates, |update| update.state.key()),
            attempts: column(updates, |update| update.attempts),
            unanswered: column(updates, |update| update.unanswered),
            maybe_duplicate: column(updates, |update| update.maybe_duplicate),
            first_attempts: column(updates, |update| update.first_attempt_at),
            last_attempts: column(updates, |update| update.last_attempt_at),
            next_attempts: column(updates, |update| update.next_attempt_at),
            http_statuses: column(updates, |update| update.http_status),
            endpoints: column(updates, |update| update.endpoint),
            error_classes: column(updates, |update| update.error_class),
            error_codes: column(updates, |update| update.error_code.as_deref()),
            error_messages: column(updates, |update| update.error_message.as_deref()),
        }
    }
}

/// The statement. It inserts no pending delivery for an event that has been deleted in the meantime, or whose person's data has
/// been erased: events with a pending delivery are not synced otherwise.
struct Upsert<'a> {
    columns: Columns<'a>,
    driver: &'static str,
    run_id: i64,
    now: DateTime<Utc>,
    /// Whether the deliveries may exist already. Existing deliveries in a final state are not changed.
    may_exist: bool,
}

impl QueryFragment<Pg> for Upsert<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let columns = &self.columns;
        out.push_sql(
            "INSERT INTO telemetry_deliveries AS delivery (event_id, recorded_at, driver, state, batch_id, delivered_at, \
                 attempts, unanswered, maybe_duplicate, first_attempt_at, last_attempt_at, next_attempt_at, http_status, \
                 endpoint, error_class, error_code, error_message, arrived_at) \
             SELECT event_id, recorded_at, ",
        );
        out.push_bind_param::<Text, _>(&self.driver)?;
        out.push_sql(", state, ");
        out.push_bind_param::<BigInt, _>(&self.run_id)?;
        out.push_sql(", CASE WHEN state = 'delivered' THEN ");
        out.push_bind_param::<Timestamptz, _>(&self.now)?;
        out.push_sql(
            "::timestamptz END, attempts, unanswered, maybe_duplicate, first_attempt_at, last_attempt_at, \
                 next_attempt_at, http_status, endpoint, error_class, error_code, error_message, \
                 CASE WHEN state <> 'delivered' THEN arrived_at END FROM unnest(",
        );
        out.push_bind_param::<Array<BigInt>, _>(&columns.event_ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Timestamptz>, _>(&columns.recorded_at)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&columns.states)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&columns.attempts)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&columns.unanswered)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Bool>, _>(&columns.maybe_duplicate)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Timestamptz>>, _>(&columns.first_attempts)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Timestamptz>>, _>(&columns.last_attempts)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Timestamptz>>, _>(&columns.next_attempts)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Integer>>, _>(&columns.http_statuses)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&columns.endpoints)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&columns.error_classes)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&columns.error_codes)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&columns.error_messages)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Timestamptz>, _>(&columns.arrived_at)?;
        out.push_sql(
            ") AS incoming (event_id, recorded_at, state, attempts, unanswered, maybe_duplicate, first_attempt_at, \
                 last_attempt_at, next_attempt_at, http_status, endpoint, error_class, error_code, error_message, \
                 arrived_at) \
             WHERE state NOT IN ('pending', 'retry') OR EXISTS (SELECT FROM video_player_events AS event \
                 WHERE event.recorded_at = incoming.recorded_at AND event.id = incoming.event_id \
                     AND event.synced_at IS NULL OFFSET 0)",
        );
        if self.may_exist {
            out.push_sql(
                " ON CONFLICT (event_id, driver) DO UPDATE SET state = excluded.state, attempts = excluded.attempts, \
                     unanswered = excluded.unanswered, maybe_duplicate = excluded.maybe_duplicate, \
                     first_attempt_at = excluded.first_attempt_at, \
                     last_attempt_at = coalesce(excluded.last_attempt_at, delivery.last_attempt_at), \
                     next_attempt_at = excluded.next_attempt_at, http_status = excluded.http_status, \
                     endpoint = coalesce(excluded.endpoint, delivery.endpoint), error_class = excluded.error_class, \
                     error_code = excluded.error_code, error_message = excluded.error_message, \
                     batch_id = excluded.batch_id, delivered_at = excluded.delivered_at \
                 WHERE delivery.state IN ('pending', 'retry')",
            );
        }
        Ok(())
    }
}

/// Diesel cannot identify the statement by its type: there are two, with different SQL.
impl QueryId for Upsert<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Conn> diesel::RunQueryDsl<Conn> for Upsert<'_> {}
