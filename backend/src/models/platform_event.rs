//! Domain events of the learning platform that were applied.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::db::Connection;
use crate::db::schema::platform_events as events;

/// An event that was applied.
#[derive(Debug, Insertable)]
#[diesel(table_name = events)]
pub struct AppliedEvent {
    /// Id that the platform assigned.
    pub event_id: Uuid,
    /// Name of the kind of event.
    pub kind: &'static str,
    pub applied_at: DateTime<Utc>,
    /// The snapshots that it created.
    pub snapshot_ids: Vec<i64>,
}

impl AppliedEvent {
    /// The events with these ids that were applied before, with their snapshots.
    pub async fn find(conn: &mut Connection, ids: &[Uuid]) -> QueryResult<Vec<(Uuid, Vec<i64>)>> {
        let found = events::table.filter(events::event_id.eq_any(ids));
        found.select((events::event_id, events::snapshot_ids)).load(conn).await
    }

    /// Inserts the events. Fails with a unique violation if one of them was applied at the same time.
    pub async fn insert(conn: &mut Connection, rows: &[Self]) -> QueryResult<usize> {
        let into = diesel::insert_into(events::table);
        match rows {
            // A statement whose length varies is planned each time.
            [row] => into.values(row).execute(conn).await,
            rows => into.values(rows).execute(conn).await,
        }
    }
}
