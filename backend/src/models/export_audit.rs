//! The record of exports: who took what away, and how to prove that a file is whole.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use ipnet::IpNet;
use serde_json::Value;

use crate::db::Connection;
use crate::db::schema::{export_audits, users};
use crate::id::Id;

/// One export.
#[derive(Debug, HasQuery)]
#[diesel(table_name = export_audits)]
#[diesel(base_query = export_audits::table.left_join(users::table))]
pub struct ExportAudit {
    /// Identifies the record.
    pub id: Id,
    /// Who exported; null on the command line.
    #[diesel(select_expression = users::email.nullable())]
    pub user_email: Option<String>,
    /// The dataset's key.
    pub dataset: String,
    /// The format's key.
    pub format: String,
    /// The filters that were set.
    pub filters: Value,
    /// Rows that the reader was given.
    pub rows: i64,
    /// Bytes that the reader was given, before compression.
    pub bytes: i64,
    /// Of the content before compression; null unless the file was completed.
    pub sha256: Option<Vec<u8>>,
    /// How it ended, unless it is still under way.
    #[diesel(deserialize_as = String)]
    pub outcome: Outcome,
    /// When its process last reported that it is under way; none once it has ended.
    pub heartbeat_at: Option<DateTime<Utc>>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// How long it took.
    pub duration_ms: i64,
}

/// An export whose process has reported nothing for this long is no longer under way: the process died.
const HEARTBEAT_TIMEOUT: TimeDelta = TimeDelta::minutes(1);

/// How an export ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The reader has the whole file.
    Complete,
    /// The reader went away, or the server did.
    Aborted,
    /// Something failed.
    Failed,
}

impl Outcome {
    const ALL: [Self; 3] = [Self::Complete, Self::Aborted, Self::Failed];

    /// The outcome's name in the database.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Aborted => "aborted",
            Self::Failed => "failed",
        }
    }
}

impl TryFrom<String> for Outcome {
    type Error = UnknownOutcome;

    fn try_from(key: String) -> Result<Self, UnknownOutcome> {
        Self::ALL.into_iter().find(|outcome| outcome.key() == key).ok_or(UnknownOutcome(key))
    }
}

/// There is no outcome of this name.
#[derive(Debug, thiserror::Error)]
#[error("there is no outcome “{0}”")]
pub struct UnknownOutcome(String);

/// An export that begins; until it is finished it counts as aborted, so that a crash leaves the truth.
#[derive(Debug, Insertable)]
#[diesel(table_name = export_audits)]
pub struct NewExportAudit<'a> {
    /// Who exports; nobody on the command line.
    pub user_id: Option<i64>,
    /// The dataset's key.
    pub dataset: &'a str,
    /// The format's key.
    pub format: &'a str,
    /// The filters that are set.
    pub filters: Value,
    /// The chosen columns; null when all.
    pub column_keys: Option<Vec<&'a str>>,
    /// Where the request came from.
    pub address: Option<IpNet>,
    /// When it begins.
    pub started_at: DateTime<Utc>,
    /// The first heartbeat, of the same moment.
    pub heartbeat_at: DateTime<Utc>,
}

/// How an export ended.
#[derive(Debug, AsChangeset)]
#[diesel(table_name = export_audits)]
pub struct ExportEnd<'a> {
    /// Rows that the reader was given.
    pub rows: i64,
    /// Bytes that the reader was given, before compression.
    pub bytes: i64,
    /// Of a complete file.
    pub sha256: Option<&'a [u8]>,
    /// [`Outcome::key`].
    pub outcome: &'static str,
    /// How long it took.
    pub duration_ms: i64,
    /// An export that has ended has no heartbeat.
    #[diesel(treat_none_as_null = true)]
    pub heartbeat_at: Option<DateTime<Utc>>,
}

impl NewExportAudit<'_> {
    /// Puts the beginning on record; answers with the record's id.
    pub async fn insert(&self, conn: &mut Connection) -> QueryResult<i64> {
        diesel::insert_into(export_audits::table)
            .values(self)
            .returning(export_audits::id)
            .get_result(conn)
            .await
    }
}

impl ExportEnd<'_> {
    /// Puts the end on record.
    pub async fn save(&self, conn: &mut Connection, id: i64) -> QueryResult<usize> {
        diesel::update(export_audits::table.find(id)).set(self).execute(conn).await
    }
}

impl ExportAudit {
    /// Whether somebody still reads it.
    pub fn is_under_way(&self, now: DateTime<Utc>) -> bool {
        self.heartbeat_at.is_some_and(|heartbeat| now - heartbeat < HEARTBEAT_TIMEOUT)
    }

    /// Reports that an export is under way. Does nothing when it has ended.
    pub async fn beat(conn: &mut Connection, id: i64, now: DateTime<Utc>) -> QueryResult<()> {
        let under_way = export_audits::table.find(id).filter(export_audits::heartbeat_at.is_not_null());
        diesel::update(under_way).set(export_audits::heartbeat_at.eq(now)).execute(conn).await?;
        Ok(())
    }

    /// Up to `limit` records, newest first, behind the one with the id `after`.
    pub async fn newest(conn: &mut Connection, after: Option<i64>, limit: i64) -> QueryResult<Vec<Self>> {
        let mut query = Self::query().order(export_audits::id.desc()).limit(limit).into_boxed();
        if let Some(after) = after {
            query = query.filter(export_audits::id.lt(after));
        }
        query.load(conn).await
    }

    /// How many records there are.
    pub async fn count(conn: &mut Connection) -> QueryResult<i64> {
        export_audits::table.count().get_result(conn).await
    }
}
