//! Writes verdicts down, and says of events that owe nothing any more that they are synced.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use diesel_async::{AsyncConnection as _, RunQueryDsl, SimpleAsyncConnection as _};

use super::lease::{Lease, narrow};
use crate::db::Connection;
use crate::models::driver::Driver;
use crate::models::sync_run::SyncRun;

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
    /// It was taken up and not sent.
    Pending,
}

impl Judged {
    const fn key(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Retry => "retry",
            Self::Dead => "dead",
            Self::Expired => "expired",
            Self::Pending => "pending",
        }
    }

    const fn is_final(self) -> bool {
        match self {
            Self::Delivered | Self::Dead | Self::Expired => true,
            Self::Retry | Self::Pending => false,
        }
    }
}

/// What is to be on record of one event at one driver from now on. All of it stands for itself: written down twice, it
/// says the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The driver.
    pub driver: Driver,
    /// The event.
    pub event_id: i64,
    /// When it happened.
    pub recorded_at: DateTime<Utc>,
    /// What becomes of it.
    pub state: Judged,
    /// Times that it was sent and that count.
    pub attempts: i32,
    /// How many of them were not answered.
    pub unanswered: i32,
    /// Whether it may be there, or be there twice once it is sent again.
    pub maybe_duplicate: bool,
    /// When it was first sent.
    pub first_attempt_at: Option<DateTime<Utc>>,
    /// When it was last sent; as it was, if it was not sent now.
    pub last_attempt_at: Option<DateTime<Utc>>,
    /// Not to be sent again before this.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// The answer's HTTP status.
    pub http_status: Option<i32>,
    /// Where it was sent, without a query; as it was, if it was not sent now.
    pub endpoint: Option<&'static str>,
    /// The kind of failure.
    pub error_class: Option<&'static str>,
    /// The driver's own code for it.
    pub error_code: Option<String>,
    /// What the driver said.
    pub error_message: Option<String>,
}

/// Whether verdicts were written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// They were, and so many events were done with thereby.
    Done(usize),
    /// Another run has taken over, and will find out for itself.
    TakenOver,
}

/// Verdicts and requeues are written one after the other, in whatever process: who writes the last verdict of an event
/// must see the others. The key is any number that no other advisory lock of ours uses.
pub(super) const LEDGER_LOCK: &str = "SELECT pg_advisory_xact_lock(7238261056)";

/// Writes down verdicts of a run to which these drivers are enabled, and which events of its leases are still being sent.
pub async fn write_down(
    conn: &mut Connection,
    run_id: i64,
    enabled: &[Driver],
    judgements: &[Judgement],
    left: &[Lease],
    now: DateTime<Utc>,
) -> QueryResult<Written> {
    conn.transaction(async |conn| {
        conn.batch_execute(LEDGER_LOCK).await?;
        if !SyncRun::is_running_still(conn, run_id).await? {
            return Ok(Written::TakenOver);
        }
        narrow(conn, run_id, left).await?;
        let enabled: Vec<&str> = enabled.iter().map(|driver| driver.key()).collect();
        for driver in Driver::ALL {
            let of_driver = judgements.iter().filter(|judgement| judgement.driver == driver);
            let columns = Columns::of(&of_driver.collect::<Vec<_>>());
            if !columns.event_ids.is_empty() {
                let noting = Note { columns, driver: driver.key(), run_id, enabled: enabled.clone(), now };
                noting.execute(conn).await?;
            }
        }
        let ended = judgements.iter().filter(|judgement| judgement.state.is_final());
        let mut ended: Vec<_> = ended.map(|judgement| (judgement.event_id, judgement.recorded_at)).collect();
        if ended.is_empty() {
            return Ok(Written::Done(0));
        }
        ended.sort_unstable();
        ended.dedup();
        let (ids, moments) = ended.into_iter().unzip();
        Ok(Written::Done(Settle { ids, moments, now }.execute(conn).await?))
    })
    .await
}

/// One array a column.
struct Columns<'a> {
    event_ids: Vec<i64>,
    moments: Vec<DateTime<Utc>>,
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

/// Puts one driver's verdicts on record; what stands in `telemetry_pending` is then owed to the other drivers only. A
/// verdict that is final stays as it is.
///
/// Planned once a connection.
struct Note<'a> {
    columns: Columns<'a>,
    driver: &'static str,
    run_id: i64,
    enabled: Vec<&'static str>,
    now: DateTime<Utc>,
}

impl QueryFragment<Pg> for Note<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let columns = &self.columns;
        out.push_sql("WITH told AS MATERIALIZED (SELECT * FROM unnest(");
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
        out.push_sql(
            ") AS told (event_id, recorded_at, state, attempts, unanswered, maybe_duplicate, first_attempt_at, \
                 last_attempt_at, next_attempt_at, http_status, endpoint, error_class, error_code, error_message) \
             CROSS JOIN (SELECT ",
        );
        out.push_bind_param::<Text, _>(&self.driver)?;
        out.push_sql("::text AS driver, ");
        out.push_bind_param::<Array<Text>, _>(&self.enabled)?;
        out.push_sql(
            "::text[] AS enabled) AS run \
             ), noted AS ( \
                 INSERT INTO telemetry_deliveries AS delivery (event_id, recorded_at, driver, state, attempts, unanswered, \
                     maybe_duplicate, first_attempt_at, last_attempt_at, next_attempt_at, http_status, endpoint, error_class, \
                     error_code, error_message, batch_id, delivered_at) \
                 SELECT event_id, recorded_at, driver, state, attempts, unanswered, maybe_duplicate, first_attempt_at, \
                     last_attempt_at, next_attempt_at, http_status, endpoint, error_class, error_code, error_message, ",
        );
        out.push_bind_param::<BigInt, _>(&self.run_id)?;
        out.push_sql(", CASE WHEN state = 'delivered' THEN ");
        out.push_bind_param::<Timestamptz, _>(&self.now)?;
        out.push_sql(
            " END FROM told \
                 ON CONFLICT (event_id, driver) DO UPDATE SET state = excluded.state, attempts = excluded.attempts, \
                     unanswered = excluded.unanswered, maybe_duplicate = excluded.maybe_duplicate, \
                     first_attempt_at = excluded.first_attempt_at, \
                     last_attempt_at = coalesce(excluded.last_attempt_at, delivery.last_attempt_at), \
                     next_attempt_at = excluded.next_attempt_at, http_status = excluded.http_status, \
                     endpoint = coalesce(excluded.endpoint, delivery.endpoint), error_class = excluded.error_class, \
                     error_code = excluded.error_code, error_message = excluded.error_message, \
                     batch_id = excluded.batch_id, delivered_at = excluded.delivered_at \
                 WHERE delivery.state IN ('pending', 'retry') \
             ), done AS ( \
                 DELETE FROM telemetry_pending AS pending USING told \
                 WHERE pending.recorded_at = told.recorded_at AND pending.event_id = told.event_id \
                     AND coalesce(drivers, enabled) <@ ARRAY[driver] \
             ) UPDATE telemetry_pending AS pending SET drivers = array_remove(coalesce(drivers, enabled), driver) FROM told \
             WHERE pending.recorded_at = told.recorded_at AND pending.event_id = told.event_id \
                 AND NOT coalesce(drivers, enabled) <@ ARRAY[driver]",
        );
        Ok(())
    }
}

impl QueryId for Note<'_> {
    type QueryId = Note<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<Conn> diesel::RunQueryDsl<Conn> for Note<'_> {}

/// Says of those of these events that owe nothing any more that they are synced. Planned once a connection.
///
/// `coalesce` hides the state from the index of what is owed, which would be read as a whole: a plan is made when that
/// may be empty.
pub(super) struct Settle {
    pub(super) ids: Vec<i64>,
    pub(super) moments: Vec<DateTime<Utc>>,
    pub(super) now: DateTime<Utc>,
}

impl QueryFragment<Pg> for Settle {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("UPDATE video_player_events AS event SET synced_at = ");
        out.push_bind_param::<Timestamptz, _>(&self.now)?;
        out.push_sql(" FROM (SELECT * FROM unnest(");
        out.push_bind_param::<Array<BigInt>, _>(&self.ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Timestamptz>, _>(&self.moments)?;
        out.push_sql(
            ") AS judged (id, recorded_at) \
             WHERE NOT EXISTS (SELECT FROM telemetry_pending AS pending \
                 WHERE pending.recorded_at = judged.recorded_at AND pending.event_id = judged.id) \
             AND NOT EXISTS (SELECT FROM telemetry_deliveries AS owed \
                 WHERE owed.event_id = judged.id AND coalesce(owed.state) IN ('pending', 'retry')) \
             OFFSET 0) AS judged \
             WHERE event.recorded_at = judged.recorded_at AND event.id = judged.id \
                 AND event.synced_at IS NULL",
        );
        Ok(())
    }
}

impl QueryId for Settle {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<Conn> diesel::RunQueryDsl<Conn> for Settle {}
