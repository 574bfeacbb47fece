//! The audit log of exports: who exported what, and the checksums that prove that files are complete.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use ipnet::IpNet;
use serde_json::Value;

use crate::db::Connection;
use crate::db::schema::{export_audits, users};
use crate::id::Id;

/// An export.
#[derive(Debug, HasQuery)]
#[diesel(table_name = export_audits)]
#[diesel(base_query = export_audits::table.left_join(users::table))]
pub struct ExportAudit {
    pub id: Id,
    /// E-mail address of the user who exported. `None` for exports on the command line.
    #[diesel(select_expression = users::email.nullable())]
    pub user_email: Option<String>,
    /// [`domain::Dataset::key`].
    pub dataset: String,
    /// [`domain::ExportFormat::key`].
    pub format: String,
    pub filters: Value,
    /// Number of rows that were sent.
    pub rows: i64,
    /// Number of bytes that were sent, before compression.
    pub bytes: i64,
    /// SHA-256 of the content before compression. `None` unless the file was sent completely.
    pub sha256: Option<Vec<u8>>,
    /// How it ended. Aborted while the export is running.
    #[diesel(deserialize_as = String)]
    pub outcome: Outcome,
    /// When its process last reported that the export is running. `None` once it has ended.
    pub heartbeat_at: Option<DateTime<Utc>>,
    pub started_at: DateTime<Utc>,
    pub duration_ms: i64,
    /// Why it failed, if the user can do something about it.
    pub message: Option<String>,
}

/// Time without a heartbeat after which the process of an export is considered dead.
const HEARTBEAT_TIMEOUT: TimeDelta = TimeDelta::minutes(1);

/// How an export ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The whole file was sent.
    Complete,
    /// The client disconnected, or the server stopped.
    Aborted,
    /// The export failed.
    Failed,
}

impl Outcome {
    const ALL: [Self; 3] = [Self::Complete, Self::Aborted, Self::Failed];

    /// Name of the outcome in the database.
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

/// No outcome has this name.
#[derive(Debug, thiserror::Error)]
#[error("unknown outcome “{0}”")]
pub struct UnknownOutcome(String);

/// A new export. Its outcome is aborted until it ends, so that the record is right after a crash.
#[derive(Debug, Insertable)]
#[diesel(table_name = export_audits)]
pub struct NewExportAudit<'a> {
    /// The user who exports. `None` for exports on the command line.
    pub user_id: Option<i64>,
    /// [`domain::Dataset::key`].
    pub dataset: &'a str,
    /// [`domain::ExportFormat::key`].
    pub format: &'a str,
    pub filters: Value,
    /// The columns, with those of names. `None` means all without names.
    pub column_keys: Option<Vec<&'a str>>,
    /// IP address of the client.
    pub address: Option<IpNet>,
    pub started_at: DateTime<Utc>,
    /// The first heartbeat: the same time as `started_at`.
    pub heartbeat_at: DateTime<Utc>,
}

/// How an export ended.
#[derive(Debug, AsChangeset)]
#[diesel(table_name = export_audits)]
pub struct ExportEnd<'a> {
    /// Number of rows that were sent.
    pub rows: i64,
    /// Number of bytes that were sent, before compression.
    pub bytes: i64,
    /// SHA-256 of the content before compression, if the file was sent completely.
    pub sha256: Option<&'a [u8]>,
    /// [`Outcome::key`].
    pub outcome: &'static str,
    pub duration_ms: i64,
    /// Why it failed, if the user can do something about it.
    pub message: Option<&'a str>,
    /// Always `None`: an export that has ended has no heartbeat.
    #[diesel(treat_none_as_null = true)]
    pub heartbeat_at: Option<DateTime<Utc>>,
}

impl NewExportAudit<'_> {
    /// Inserts the record and returns its id.
    pub async fn insert(&self, conn: &mut Connection) -> QueryResult<i64> {
        diesel::insert_into(export_audits::table)
            .values(self)
            .returning(export_audits::id)
            .get_result(conn)
            .await
    }
}

impl ExportEnd<'_> {
    /// Records how the export ended.
    pub async fn save(&self, conn: &mut Connection, id: i64) -> QueryResult<usize> {
        diesel::update(export_audits::table.find(id)).set(self).execute(conn).await
    }
}

impl ExportAudit {
    /// Whether the export is still running.
    pub fn is_running(&self, now: DateTime<Utc>) -> bool {
        self.heartbeat_at.is_some_and(|heartbeat| now - heartbeat < HEARTBEAT_TIMEOUT)
    }

    /// Reports that an export is still running. Does nothing if it has ended.
    pub async fn record_heartbeat(conn: &mut Connection, id: i64, now: DateTime<Utc>) -> QueryResult<()> {
        let running = export_audits::table.find(id).filter(export_audits::heartbeat_at.is_not_null());
        diesel::update(running).set(export_audits::heartbeat_at.eq(now)).execute(conn).await?;
        Ok(())
    }

    /// At most `limit` records, newest first, after the one with the id `after`.
    pub async fn newest(conn: &mut Connection, after: Option<i64>, limit: i64) -> QueryResult<Vec<Self>> {
        let mut query = Self::query().order(export_audits::id.desc()).limit(limit).into_boxed();
        if let Some(after) = after {
            query = query.filter(export_audits::id.lt(after));
        }
        query.load(conn).await
    }

    /// The number of records.
    pub async fn count(conn: &mut Connection) -> QueryResult<i64> {
        export_audits::table.count().get_result(conn).await
    }
}
