//! Writes verdicts down, and says of events that owe nothing any more that they are synced.

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use diesel_async::{AsyncConnection as _, RunQueryDsl, SimpleAsyncConnection as _};

use crate::db::Connection;
use crate::models::driver::Driver;

/// What becomes of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// The driver has the event.
    Delivered,
    /// It is sent again.
    Retry,
    /// It is given up.
    Dead,
    /// It is too old to be sent.
    Expired,
}

impl Judged {
    const fn key(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Retry => "retry",
            Self::Dead => "dead",
            Self::Expired => "expired",
        }
    }
}

/// What is to be written down of one event at one driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The driver.
    pub driver: Driver,
    /// The event.
    pub event_id: i64,
    /// What becomes of it.
    pub state: Judged,
    /// Whether it was sent.
    pub sent: bool,
    /// Whether that counts as an attempt.
    pub counts: bool,
    /// Whether no answer came.
    pub unanswered: bool,
    /// Whether it may be there, or be there twice once it is sent again.
    pub maybe_duplicate: bool,
    /// Not to be sent again before this.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// The answer's HTTP status.
    pub http_status: Option<i32>,
    /// Where it was sent, without a query.
    pub endpoint: Option<&'static str>,
    /// The kind of failure.
    pub error_class: Option<&'static str>,
    /// The driver's own code for it.
    pub error_code: Option<String>,
    /// What the driver said.
    pub error_message: Option<String>,
}

/// Verdicts and requeues are written one after the other, in whatever process: who writes the last verdict of an event
/// must see the others. The key is any number that no other advisory lock of ours uses.
pub(super) const LEDGER_LOCK: &str = "SELECT pg_advisory_xact_lock(7238261056)";

/// Writes verdicts down, of events that this run has taken up, and answers with how many events were done with thereby.
pub async fn judge(
    conn: &mut Connection,
    run_id: i64,
    judgements: &[Judgement],
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    conn.transaction(async |conn| {
        conn.batch_execute(LEDGER_LOCK).await?;
        let judged = Judge { judgements: Columns::of(judgements), run: run_id.to_string(), now };
        let ended: Vec<(i64, DateTime<Utc>)> = judged.load(conn).await?;
        if ended.is_empty() {
            return Ok(0);
        }
        let (ids, moments) = ended.into_iter().unzip();
        Settle { ids, moments, now }.execute(conn).await
    })
    .await
}

/// One array a column.
struct Columns<'a> {
    drivers: Vec<&'static str>,
    event_ids: Vec<i64>,
    states: Vec<&'static str>,
    sent: Vec<bool>,
    counts: Vec<bool>,
    unanswered: Vec<bool>,
    maybe_duplicate: Vec<bool>,
    next_attempts: Vec<Option<DateTime<Utc>>>,
    http_statuses: Vec<Option<i32>>,
    endpoints: Vec<Option<&'static str>>,
    error_classes: Vec<Option<&'static str>>,
    error_codes: Vec<Option<&'a str>>,
    error_messages: Vec<Option<&'a str>>,
}

impl<'a> Columns<'a> {
    fn of(judgements: &'a [Judgement]) -> Self {
        fn column<'j, T>(judgements: &'j [Judgement], of: impl Fn(&'j Judgement) -> T) -> Vec<T> {
            judgements.iter().map(of).collect()
        }
        Self {
            drivers: column(judgements, |one| one.driver.key()),
            event_ids: column(judgements, |one| one.event_id),
            states: column(judgements, |one| one.state.key()),
            sent: column(judgements, |one| one.sent),
            counts: column(judgements, |one| one.counts),
            unanswered: column(judgements, |one| one.unanswered),
            maybe_duplicate: column(judgements, |one| one.maybe_duplicate),
            next_attempts: column(judgements, |one| one.next_attempt_at),
            http_statuses: column(judgements, |one| one.http_status),
            endpoints: column(judgements, |one| one.endpoint),
            error_classes: column(judgements, |one| one.error_class),
            error_codes: column(judgements, |one| one.error_code.as_deref()),
            error_messages: column(judgements, |one| one.error_message.as_deref()),
        }
    }
}

/// Planned once a connection, which may be when the table is empty: so it says itself that each row is found by its key
/// and then by its place, rather than by reading all that is owed. The key is the only index that serves, since
/// `coalesce` hides the state from the others.
struct Judge<'a> {
    judgements: Columns<'a>,
    run: String,
    now: DateTime<Utc>,
}

impl QueryFragment<Pg> for Judge<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let columns = &self.judgements;
        out.push_sql("WITH judged AS MATERIALIZED (SELECT told.*, place.ctid AS place FROM unnest(");
        out.push_bind_param::<Array<Text>, _>(&columns.drivers)?;
        out.push_sql("::text[], ");
        out.push_bind_param::<Array<BigInt>, _>(&columns.event_ids)?;
        out.push_sql("::bigint[], ");
        out.push_bind_param::<Array<Text>, _>(&columns.states)?;
        out.push_sql("::text[], ");
        out.push_bind_param::<Array<Bool>, _>(&columns.sent)?;
        out.push_sql("::bool[], ");
        out.push_bind_param::<Array<Bool>, _>(&columns.counts)?;
        out.push_sql("::bool[], ");
        out.push_bind_param::<Array<Bool>, _>(&columns.unanswered)?;
        out.push_sql("::bool[], ");
        out.push_bind_param::<Array<Bool>, _>(&columns.maybe_duplicate)?;
        out.push_sql("::bool[], ");
        out.push_bind_param::<Array<Nullable<Timestamptz>>, _>(&columns.next_attempts)?;
        out.push_sql("::timestamptz[], ");
        out.push_bind_param::<Array<Nullable<Integer>>, _>(&columns.http_statuses)?;
        out.push_sql("::int[], ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&columns.endpoints)?;
        out.push_sql("::text[], ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&columns.error_classes)?;
        out.push_sql("::text[], ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&columns.error_codes)?;
        out.push_sql("::text[], ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&columns.error_messages)?;
        out.push_sql(
            "::text[]) AS told (driver, event_id, verdict, sent, counts, unanswered, maybe_duplicate, \
                 next_attempt_at, http_status, endpoint, error_class, error_code, error_message) \
             CROSS JOIN LATERAL ( \
                 SELECT ctid FROM telemetry_deliveries AS found \
                 WHERE found.event_id = told.event_id AND found.driver = told.driver \
                     AND coalesce(found.state) = 'in_flight' AND found.lease_owner = ",
        );
        out.push_bind_param::<Text, _>(&self.run)?;
        out.push_sql(
            " OFFSET 0 FOR UPDATE) AS place) UPDATE telemetry_deliveries AS delivery SET first_attempt_at = CASE WHEN sent THEN coalesce(first_attempt_at, ");
        out.push_bind_param::<Timestamptz, _>(&self.now)?;
        out.push_sql(") ELSE first_attempt_at END, last_attempt_at = CASE WHEN sent THEN ");
        out.push_bind_param::<Timestamptz, _>(&self.now)?;
        out.push_sql(" ELSE last_attempt_at END, delivered_at = CASE WHEN verdict = 'delivered' THEN ");
        out.push_bind_param::<Timestamptz, _>(&self.now)?;
        out.push_sql(
            "::timestamptz END, \
             state = verdict, lease_until = NULL, lease_owner = NULL, attempts = attempts + counts::int, \
             unanswered = delivery.unanswered + judged.unanswered::int, \
             maybe_duplicate = delivery.maybe_duplicate OR judged.maybe_duplicate, \
             next_attempt_at = judged.next_attempt_at, http_status = judged.http_status, \
             endpoint = coalesce(judged.endpoint, delivery.endpoint), error_class = judged.error_class, \
             error_code = judged.error_code, error_message = judged.error_message \
             FROM judged WHERE delivery.ctid = judged.place \
             RETURNING delivery.event_id, delivery.recorded_at",
        );
        Ok(())
    }
}

impl QueryId for Judge<'_> {
    type QueryId = Judge<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for Judge<'_> {
    type SqlType = (BigInt, Timestamptz);
}

/// Says of those of these events that owe nothing any more that they are synced. Planned once a connection.
pub(super) struct Settle {
    pub(super) ids: Vec<i64>,
    pub(super) moments: Vec<DateTime<Utc>>,
    pub(super) now: DateTime<Utc>,
}

impl QueryFragment<Pg> for Settle {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("UPDATE video_player_events AS event SET synced_at = ");
        out.push_bind_param::<Timestamptz, _>(&self.now)?;
        out.push_sql(" FROM (SELECT DISTINCT * FROM unnest(");
        out.push_bind_param::<Array<BigInt>, _>(&self.ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Timestamptz>, _>(&self.moments)?;
        out.push_sql(
            ") AS judged (id, recorded_at) \
             WHERE NOT EXISTS (SELECT FROM telemetry_deliveries AS owed \
                 WHERE owed.event_id = judged.id AND coalesce(owed.state) IN ('pending', 'in_flight', 'retry')) \
             OFFSET 0) AS judged \
             WHERE event.recorded_at = judged.recorded_at AND event.id = judged.id \
                 AND coalesce(event.synced_at) IS NULL",
        );
        Ok(())
    }
}

impl QueryId for Settle {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<Conn> diesel::RunQueryDsl<Conn> for Settle {}
