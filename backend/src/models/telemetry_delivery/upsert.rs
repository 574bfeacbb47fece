//! The records of verdicts.

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;

use super::Judgement;
use super::judge::Writing;
use crate::db::Connection;
use crate::models::driver::Driver;

/// Puts a driver's verdicts on record.
pub(super) async fn note(
    conn: &mut Connection,
    run: &Writing,
    driver: Driver,
    judgements: &[&Judgement],
    may_be_there: bool,
) -> QueryResult<()> {
    if judgements.is_empty() {
        return Ok(());
    }
    let columns = Columns::of(judgements);
    let Writing { run_id, now, .. } = *run;
    Note { columns, driver: driver.key(), run_id, now, may_be_there }.execute(conn).await?;
    Ok(())
}

/// One array a column.
struct Columns<'a> {
    event_ids: Vec<i64>,
    moments: Vec<DateTime<Utc>>,
    arrivals: Vec<DateTime<Utc>>,
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
    fn of(judgements: &[&'a Judgement]) -> Self {
        fn column<'j, T>(judgements: &[&'j Judgement], of: impl Fn(&'j Judgement) -> T) -> Vec<T> {
            judgements.iter().map(|judgement| of(judgement)).collect()
        }
        Self {
            event_ids: column(judgements, |one| one.event_id),
            moments: column(judgements, |one| one.recorded_at),
            arrivals: column(judgements, |one| one.arrived_at),
            states: column(judgements, |one| one.state.key()),
            attempts: column(judgements, |one| one.attempts),
            unanswered: column(judgements, |one| one.unanswered),
            maybe_duplicate: column(judgements, |one| one.maybe_duplicate),
            first_attempts: column(judgements, |one| one.first_attempt_at),
            last_attempts: column(judgements, |one| one.last_attempt_at),
            next_attempts: column(judgements, |one| one.next_attempt_at),
            http_statuses: column(judgements, |one| one.http_status),
            endpoints: column(judgements, |one| one.endpoint),
            error_classes: column(judgements, |one| one.error_class),
            error_codes: column(judgements, |one| one.error_code.as_deref()),
            error_messages: column(judgements, |one| one.error_message.as_deref()),
        }
    }
}

/// Puts one driver's verdicts on record; an event that was deleted meanwhile is owed no more.
struct Note<'a> {
    columns: Columns<'a>,
    driver: &'static str,
    run_id: i64,
    now: DateTime<Utc>,
    /// Whether there may be records already; one that is final stays as it is.
    may_be_there: bool,
}

impl QueryFragment<Pg> for Note<'_> {
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
        out.push_bind_param::<Array<Timestamptz>, _>(&columns.moments)?;
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
        out.push_bind_param::<Array<Timestamptz>, _>(&columns.arrivals)?;
        out.push_sql(
            ") AS told (event_id, recorded_at, state, attempts, unanswered, maybe_duplicate, first_attempt_at, \
                 last_attempt_at, next_attempt_at, http_status, endpoint, error_class, error_code, error_message, \
                 arrived_at) \
             WHERE state NOT IN ('pending', 'retry') OR EXISTS (SELECT FROM video_player_events AS event \
                 WHERE event.recorded_at = told.recorded_at AND event.id = told.event_id OFFSET 0)",
        );
        if self.may_be_there {
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

/// Planned once a connection: there are two statements of this type, which are told apart by their texts.
impl QueryId for Note<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Conn> diesel::RunQueryDsl<Conn> for Note<'_> {}
