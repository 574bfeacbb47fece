//! Writes verdicts down, and says of events that owe nothing any more that they are synced.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use diesel_async::{AsyncConnection as _, RunQueryDsl, SimpleAsyncConnection as _};

use super::lease::{Lease, narrow};
use super::pending;
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
    /// Whether there is a record of it at this driver already.
    pub is_on_record: bool,
    /// Whether all other drivers that it is owed to have a record of it, as far as was known when it was taken up.
    pub is_last: bool,
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

impl Judgement {
    const fn key(&self) -> (i64, DateTime<Utc>) {
        (self.event_id, self.recorded_at)
    }
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

/// Writes down verdicts of a run, and which events of its leases are still being sent.
pub async fn write_down(
    conn: &mut Connection,
    run: Writing<'_>,
    judgements: &[Judgement],
    left: &[Lease],
) -> QueryResult<Written> {
    conn.transaction(async |conn| {
        conn.batch_execute(LEDGER_LOCK).await?;
        if !SyncRun::is_running_still(conn, run.run_id).await? {
            return Ok(Written::TakenOver);
        }
        narrow(conn, run.run_id, left).await?;
        let mut ended = BTreeMap::new();
        for driver in Driver::ALL {
            let (known, new): (Vec<_>, Vec<_>) = judgements
                .iter()
                .filter(|judgement| judgement.driver == driver)
                .partition(|judgement| judgement.is_on_record);
            for (judgements, may_be_there) in [(&known, true), (&new, run.again)] {
                note(conn, &run, driver, judgements, may_be_there).await?;
            }
            let (last, not_last): (Vec<_>, Vec<_>) =
                new.iter().copied().partition(|new: &&Judgement| new.is_last || run.enabled.len() == 1);
            let [last, not_last] = [last, not_last].map(|new| new.into_iter().map(Judgement::key).collect());
            let gone = pending::put_on_record(conn, driver, run.enabled, last, not_last).await?;
            ended.extend(
                known.into_iter().filter(|known| known.state.is_final()).map(|one| (one.key(), false)),
            );
            let new = new.into_iter().filter(|new| new.state.is_final() && gone.contains(&new.event_id));
            ended.extend(new.map(|one| (one.key(), true)));
        }
        Ok(Written::Done(settle(conn, ended, run.now).await?))
    })
    .await
}

/// Who writes verdicts down, and when.
#[derive(Clone, Copy, Debug)]
pub struct Writing<'a> {
    /// The run.
    pub run_id: i64,
    /// Every driver that is enabled.
    pub enabled: &'a [Driver],
    /// Whether the same may be written already.
    pub again: bool,
    /// The time.
    pub now: DateTime<Utc>,
}

async fn note(
    conn: &mut Connection,
    run: &Writing<'_>,
    driver: Driver,
    judgements: &[&Judgement],
    may_be_there: bool,
) -> QueryResult<()> {
    if judgements.is_empty() {
        return Ok(());
    }
    let note =
        Note { columns: Columns::of(judgements), driver: driver.key(), run_id: run.run_id, now: run.now };
    if may_be_there {
        Renote(note).execute(conn).await?
    } else {
        note.execute(conn).await?
    };
    Ok(())
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

/// Puts one driver's verdicts on record, of which there is none yet; an event that was deleted meanwhile is owed no more.
/// Planned once a connection, as the others here.
struct Note<'a> {
    columns: Columns<'a>,
    driver: &'static str,
    run_id: i64,
    now: DateTime<Utc>,
}

impl QueryFragment<Pg> for Note<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let columns = &self.columns;
        out.push_sql(
            "INSERT INTO telemetry_deliveries AS delivery (event_id, recorded_at, driver, state, batch_id, delivered_at, \
                 attempts, unanswered, maybe_duplicate, first_attempt_at, last_attempt_at, next_attempt_at, http_status, \
                 endpoint, error_class, error_code, error_message) \
             SELECT event_id, recorded_at, ",
        );
        out.push_bind_param::<Text, _>(&self.driver)?;
        out.push_sql(", state, ");
        out.push_bind_param::<BigInt, _>(&self.run_id)?;
        out.push_sql(", CASE WHEN state = 'delivered' THEN ");
        out.push_bind_param::<Timestamptz, _>(&self.now)?;
        out.push_sql(
            "::timestamptz END, attempts, unanswered, maybe_duplicate, first_attempt_at, last_attempt_at, \
                 next_attempt_at, http_status, endpoint, error_class, error_code, error_message FROM unnest(",
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
        out.push_sql(
            ") AS told (event_id, recorded_at, state, attempts, unanswered, maybe_duplicate, first_attempt_at, \
                 last_attempt_at, next_attempt_at, http_status, endpoint, error_class, error_code, error_message) \
             WHERE state NOT IN ('pending', 'retry') OR EXISTS (SELECT FROM video_player_events AS event \
                 WHERE event.recorded_at = told.recorded_at AND event.id = told.event_id OFFSET 0)",
        );
        Ok(())
    }
}

impl QueryId for Note<'_> {
    type QueryId = Note<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<Conn> diesel::RunQueryDsl<Conn> for Note<'_> {}

/// The same, of which there may be one already; one that is final stays as it is.
struct Renote<'a>(Note<'a>);

impl QueryFragment<Pg> for Renote<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(out.reborrow())?;
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
        Ok(())
    }
}

impl QueryId for Renote<'_> {
    type QueryId = Renote<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<Conn> diesel::RunQueryDsl<Conn> for Renote<'_> {}

/// Events by id and moment, and whether it is known that nothing stands in `telemetry_pending` of them.
pub(super) type Ended = BTreeMap<(i64, DateTime<Utc>), bool>;

/// Says of those of these events that owe nothing any more that they are synced, and answers with how many these are.
pub(super) async fn settle(conn: &mut Connection, ended: Ended, now: DateTime<Utc>) -> QueryResult<usize> {
    if ended.is_empty() {
        return Ok(0);
    }
    let mut settle = Settle { ids: Vec::new(), moments: Vec::new(), not_pending: Vec::new(), now };
    for ((id, moment), is_not_pending) in ended {
        settle.ids.push(id);
        settle.moments.push(moment);
        settle.not_pending.push(is_not_pending);
    }
    settle.execute(conn).await
}

/// A plan may be made when the tables are empty, and would then read them as a whole: `OFFSET 0` has each event looked up,
/// and `coalesce` hides the state from the index of what is owed.
struct Settle {
    ids: Vec<i64>,
    moments: Vec<DateTime<Utc>>,
    not_pending: Vec<bool>,
    now: DateTime<Utc>,
}

impl QueryFragment<Pg> for Settle {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("UPDATE video_player_events AS event SET synced_at = ");
        out.push_bind_param::<Timestamptz, _>(&self.now)?;
        out.push_sql(" FROM (SELECT * FROM unnest(");
        out.push_bind_param::<Array<BigInt>, _>(&self.ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Timestamptz>, _>(&self.moments)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Bool>, _>(&self.not_pending)?;
        out.push_sql(
            ") AS judged (id, recorded_at, is_not_pending) \
             WHERE (is_not_pending OR NOT EXISTS (SELECT FROM telemetry_pending AS pending \
                 WHERE pending.recorded_at = judged.recorded_at AND pending.event_id = judged.id OFFSET 0)) \
             AND NOT EXISTS (SELECT FROM telemetry_deliveries AS owed \
                 WHERE owed.event_id = judged.id AND coalesce(owed.state) IN ('pending', 'retry') OFFSET 0) \
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
