//! Fetches the events to send next: first retryable deliveries, then events without a delivery for this
//! driver, both in order of age. Fetching is a plain read, since there is one run at a time and each worker
//! knows its events in flight.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryResult;
use uuid::Uuid;

use super::connection;
use crate::db::{Connection, Pool};
use crate::error::Result;
use crate::models::telemetry_delivery::{self as deliveries, EventPosition, PendingEvent, PendingQuery};
use crate::telemetry::driver::{Driver, Plan, SessionTracker, without_session};

/// Pause after a search that found no retryable delivery. Each search has to skip all deliveries that are not
/// due.
const SEARCH_INTERVAL: TimeDelta = TimeDelta::seconds(1);

/// Which events are fetched.
pub struct Selection {
    /// The driver that the events are pending for.
    pub driver: Arc<Driver>,
    /// The id of this hub.
    pub installation_id: Uuid,
    /// Fetch only the events that this run left pending.
    pub batch: Option<i64>,
    /// Fetch events without a delivery only from this time on; none of them if the driver is no longer
    /// enabled.
    pub sends_from: Option<DateTime<Utc>>,
}

/// Reads events and plans how to send them.
pub struct Fetcher {
    conn: Connection,
    selection: Selection,
    sessions: SessionTracker,
    retryable_after: EventPosition,
    unsent_after: EventPosition,
    next_retryable_search: DateTime<Utc>,
}

/// Fetched events.
pub struct Fetched {
    pub event_ids: Vec<i64>,
    pub plan: Plan,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Retryable,
    Unsent,
}

impl Fetcher {
    /// Opens a connection and starts at the oldest event.
    pub async fn open(pool: &Pool, selection: Selection) -> Result<Self> {
        let mut fetcher = Self {
            conn: connection::open(pool).await?,
            sessions: SessionTracker::default(),
            retryable_after: EventPosition::START,
            unsent_after: EventPosition::START,
            next_retryable_search: DateTime::UNIX_EPOCH,
            selection,
        };
        fetcher.start_over();
        Ok(fetcher)
    }

    /// Starts at the oldest event again, since events to retry and released events precede the current
    /// position.
    pub fn start_over(&mut self) {
        (self.retryable_after, self.unsent_after) = (self.start(Kind::Retryable), self.start(Kind::Unsent));
        self.next_retryable_search = DateTime::UNIX_EPOCH;
    }

    /// The position before the oldest event.
    fn start(&self, kind: Kind) -> EventPosition {
        match kind {
            Kind::Retryable => EventPosition::START,
            Kind::Unsent => {
                let from = |recorded_at| EventPosition { recorded_at, id: 0 };
                self.selection.sends_from.map_or(EventPosition::END, from)
            }
        }
    }

    /// Fetches at most `limit` events that are not in flight.
    pub async fn fetch(
        &mut self,
        limit: usize,
        in_flight: &HashSet<i64>,
        now: DateTime<Utc>,
    ) -> QueryResult<Fetched> {
        let mut events = Vec::new();
        if now >= self.next_retryable_search {
            events = self.read(Kind::Retryable, limit, in_flight, now).await?;
            if events.is_empty() && self.selection.batch.is_none() {
                self.next_retryable_search = now + SEARCH_INTERVAL;
            }
        }
        if events.len() < limit && self.selection.batch.is_none() {
            events.extend(self.read(Kind::Unsent, limit - events.len(), in_flight, now).await?);
        }
        let event_ids = events.iter().map(|event| event.id).collect();
        let installation_id = self.selection.installation_id;
        let outgoing = if self.selection.driver.policy().needs_sessions {
            self.sessions.assign(&mut self.conn, installation_id, events).await?
        } else {
            events.into_iter().map(|event| without_session(installation_id, event)).collect()
        };
        Ok(Fetched { event_ids, plan: self.selection.driver.plan(outgoing, now) })
    }

    /// Reads events of one kind. At the end it starts over once, because events before the current position
    /// may have been recorded or become retryable meanwhile. A batch is read only once: the next run retries
    /// events that fail again.
    async fn read(
        &mut self,
        kind: Kind,
        limit: usize,
        in_flight: &HashSet<i64>,
        now: DateTime<Utc>,
    ) -> QueryResult<Vec<PendingEvent>> {
        let mut is_second_pass = false;
        let start = self.start(kind);
        loop {
            let after = match kind {
                Kind::Retryable => &mut self.retryable_after,
                Kind::Unsent => &mut self.unsent_after,
            };
            let query = PendingQuery {
                driver: self.selection.driver.name(),
                after: *after,
                limit: i64::try_from(limit).unwrap_or(i64::MAX),
                with_user_since: self.selection.driver.policy().needs_sign_up_date,
            };
            let found = match kind {
                Kind::Retryable => {
                    deliveries::retryable(&mut self.conn, query, self.selection.batch, now).await?
                }
                Kind::Unsent => deliveries::unsent(&mut self.conn, query).await?,
            };
            let is_end = found.is_empty();
            let next_pass = if self.selection.batch.is_some() { EventPosition::END } else { start };
            *after = found.last().map_or(next_pass, PendingEvent::position);
            let new: Vec<PendingEvent> =
                found.into_iter().filter(|event| !in_flight.contains(&event.id)).collect();
            let was_all =
                is_end && (is_second_pass || self.selection.batch.is_some() || query.after == start);
            if !new.is_empty() || was_all {
                return Ok(new);
            }
            is_second_pass |= is_end;
        }
    }
}
