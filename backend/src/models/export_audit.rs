//! The record of exports: who took what away, and how to prove that a file is whole.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool};
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
    /// Rows that were written.
    pub rows: i64,
    /// Bytes that were written, before compression.
    pub bytes: i64,
    /// Of the content before compression; null unless the file was completed.
    pub sha256: Option<Vec<u8>>,
    /// How it ended, unless it is still under way.
    #[diesel(deserialize_as = String)]
    pub outcome: Outcome,
    /// Whether it is still under way.
    #[diesel(select_expression = sql::<Bool>(IS_UNDER_WAY), select_expression_type = SqlLiteral<Bool>)]
    pub is_under_way: bool,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// How long it took.
    pub duration_ms: i64,
}

/// Whether some process holds the lock that an export holds while it reads: one that died holds none.
///
/// The lock's two numbers are one for all exports, which no other lock of ours uses, and the record's id.
const IS_UNDER_WAY: &str = "\
    export_audits.outcome = 'aborted' AND export_audits.id IN (SELECT lock.objid::bigint FROM pg_locks AS lock \
    JOIN pg_database AS here ON here.oid = lock.database AND here.datname = current_database() \
    WHERE lock.locktype = 'advisory' AND lock.classid = 20261 AND lock.objsubid = 2)";

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
}

/// How an export ended.
#[derive(Debug, AsChangeset)]
#[diesel(table_name = export_audits)]
pub struct ExportEnd<'a> {
    /// Rows that were written.
    pub rows: i64,
    /// Bytes that were written, before compression.
    pub bytes: i64,
    /// Of a complete file.
    pub sha256: Option<&'a [u8]>,
    /// [`Outcome::key`].
    pub outcome: &'static str,
    /// How long it took.
    pub duration_ms: i64,
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
    /// Shows that the export is under way, for as long as the connection's transaction lasts.
    pub async fn hold(conn: &mut Connection, id: i64) -> QueryResult<()> {
        sql_query("SELECT pg_advisory_xact_lock_shared(20261, $1::integer)")
            .bind::<BigInt, _>(id)
            .execute(conn)
            .await?;
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
