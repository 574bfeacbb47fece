//! Where a lane's events come from: first what is due of what is on record, then what nobody has sent yet, the oldest
//! first. Taking up is no more than reading: there is one run at a time, and it remembers what it has in hand.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryResult;
use uuid::Uuid;

use super::connection;
use crate::db::{Connection, Pool};
use crate::error::Result;
use crate::models::telemetry_delivery::{self as deliveries, Frontier, OwedEvent, Wanted};
use crate::telemetry::driver::{Driver, Plan, SessionBook, outgoing};

/// When nothing was due, it is looked again after so long: what is not due yet is passed over each time.
const LOOKING_AGAIN: TimeDelta = TimeDelta::seconds(1);

/// Which events a lane takes up.
pub struct Source {
    /// For whom.
    pub driver: Arc<Driver>,
    /// Which hub this is.
    pub installation: Uuid,
    /// Only what this run left.
    pub batch: Option<i64>,
    /// Of what has no record yet, only what happened from then on; nothing when the driver is not enabled any more.
    pub sends_from: Option<DateTime<Utc>>,
}

/// What a lane takes up from.
pub struct Supply {
    conn: Connection,
    source: Source,
    sessions: SessionBook,
    due_after: Frontier,
    fresh_after: Frontier,
    due_from: DateTime<Utc>,
}

/// What was taken up.
pub struct Supplied {
    /// The events.
    pub event_ids: Vec<i64>,
    /// What to do with them.
    pub plan: Plan,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Due,
    Fresh,
}

impl Supply {
    /// From the oldest on.
    pub async fn open(pool: &Pool, source: Source) -> Result<Self> {
        let mut supply = Self {
            conn: connection::open(pool).await?,
            sessions: SessionBook::default(),
            due_after: Frontier::START,
            fresh_after: Frontier::START,
            due_from: DateTime::UNIX_EPOCH,
            source,
        };
        supply.start_over();
        Ok(supply)
    }

    /// Begins with the oldest again: what was put off or given back is older than what lies ahead.
    pub fn start_over(&mut self) {
        (self.due_after, self.fresh_after) = (self.beginning(Kind::Due), self.beginning(Kind::Fresh));
        self.due_from = DateTime::UNIX_EPOCH;
    }

    /// Before the oldest event.
    fn beginning(&self, kind: Kind) -> Frontier {
        match kind {
            Kind::Due => Frontier::START,
            Kind::Fresh => {
                let from = |recorded_at| Frontier { recorded_at, id: 0 };
                self.source.sends_from.map_or(Frontier::END, from)
            }
        }
    }

    /// Takes up so many events at most, none of which is held.
    pub async fn next(
        &mut self,
        limit: usize,
        held: &HashSet<i64>,
        now: DateTime<Utc>,
    ) -> QueryResult<Supplied> {
        let mut events = Vec::new();
        if now >= self.due_from {
            events = self.look(Kind::Due, limit, held, now).await?;
            if events.is_empty() && self.source.batch.is_none() {
                self.due_from = now + LOOKING_AGAIN;
            }
        }
        if events.len() < limit && self.source.batch.is_none() {
            events.extend(self.look(Kind::Fresh, limit - events.len(), held, now).await?);
        }
        let event_ids = events.iter().map(|event| event.id).collect();
        let outgoing = if self.source.driver.manners().tells_sessions {
            self.sessions.assign(&mut self.conn, self.source.installation, events).await?
        } else {
            events.into_iter().map(|event| outgoing(self.source.installation, event)).collect()
        };
        Ok(Supplied { event_ids, plan: self.source.driver.plan(outgoing, now) })
    }

    /// What became due or was recorded behind our back is found when there is nothing ahead. A batch is gone through
    /// once: what fails again is for the next run.
    async fn look(
        &mut self,
        kind: Kind,
        limit: usize,
        held: &HashSet<i64>,
        now: DateTime<Utc>,
    ) -> QueryResult<Vec<OwedEvent>> {
        let mut is_second_turn = false;
        let beginning = self.beginning(kind);
        loop {
            let after = match kind {
                Kind::Due => &mut self.due_after,
                Kind::Fresh => &mut self.fresh_after,
            };
            let wanted = Wanted {
                driver: self.source.driver.name(),
                after: *after,
                limit: i64::try_from(limit).unwrap_or(i64::MAX),
                with_user_since: self.source.driver.manners().tells_user_since,
            };
            let found = match kind {
                Kind::Due => deliveries::due(&mut self.conn, wanted, self.source.batch, now).await?,
                Kind::Fresh => deliveries::fresh(&mut self.conn, wanted).await?,
            };
            let is_end = found.is_empty();
            let begin = if self.source.batch.is_some() { Frontier::END } else { beginning };
            *after = found.last().map_or(begin, OwedEvent::frontier);
            let taken: Vec<OwedEvent> = found.into_iter().filter(|event| !held.contains(&event.id)).collect();
            let was_all =
                is_end && (is_second_turn || self.source.batch.is_some() || wanted.after == beginning);
            if !taken.is_empty() || was_all {
                return Ok(taken);
            }
            is_second_turn |= is_end;
        }
    }
}
