//! The record of exports, for admins.

use anyhow::Context as _;
use async_graphql::connection::{Connection, Edge, EmptyFields};
use async_graphql::{Context, Json, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::access::Act;
use domain::filter::parse_id;
use domain::text::Text;
use domain::{Dataset, ExportFormat, Locale};
use futures_util::FutureExt as _;
use serde_json::Value;

use super::catalog::{at_most, list_cost};
use super::context::ContextExt as _;
use super::names::{DatasetName, FormatName, OutcomeName};
use super::total::Total;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::models::export_audit;

const NO_CURSOR: Text = Text::new("Eso no es un cursor de esta lista.", "That is no cursor of this list.");
const COMMAND_LINE: Text = Text::new("línea de comandos", "command line");

/// Who exported what.
#[derive(Default)]
pub struct AuditQuery;

type ExportAudits = Connection<String, ExportAudit, Total, EmptyFields>;

#[Object]
impl AuditQuery {
    /// Who took what out of the hub, newest first. Errors: UNAUTHENTICATED, FORBIDDEN but for admins, BAD_USER_INPUT.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn export_audits(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most so many, from 0 to 500; 50 unless told.", default = 50)] first: Option<i32>,
        #[graphql(desc = "Behind the record with this cursor.")] after: Option<String>,
    ) -> Result<ExportAudits> {
        ctx.viewer_who_may(Act::Audit)?;
        let limit = at_most("first", first.unwrap_or(50))?;
        let behind = after.as_deref().map(parse_id).transpose();
        let behind = behind.map_err(|_| Error::invalid("after", NO_CURSOR))?;
        let mut page = export_audit::ExportAudit::newest(&mut *ctx.conn().await?, behind, limit + 1).await?;
        let wanted = usize::try_from(limit).unwrap_or_default();
        let has_next = page.len() > wanted;
        page.truncate(wanted);
        let now = ctx.app().clock.now();
        let total = Total::new(|conn| export_audit::ExportAudit::count(conn).boxed());
        let mut audits = Connection::with_additional_fields(after.is_some(), has_next, total);
        for row in page {
            let cursor = row.id.to_string();
            audits.edges.push(Edge::new(cursor, ExportAudit::of(row, ctx.request().locale, now)?));
        }
        Ok(audits)
    }
}

/// One export.
#[derive(SimpleObject)]
pub struct ExportAudit {
    /// Identifies the record.
    id: Id,
    /// The e-mail address of who exported, or that it was the command line.
    user: String,
    /// What was exported.
    dataset: DatasetName,
    /// In which format.
    format: FormatName,
    /// The filters that were set, by key.
    filters: Json<Value>,
    /// Rows that the reader was given.
    rows: f64,
    /// Bytes that the reader was given, before compression.
    bytes: f64,
    /// SHA-256 of the content before compression, in hexadecimal digits; null unless the file was completed.
    sha256: Option<String>,
    /// How long it took, in milliseconds.
    duration_ms: i32,
    /// How it ended, or that it still runs.
    outcome: OutcomeName,
    /// When it began.
    started_at: DateTime<Utc>,
}

impl ExportAudit {
    fn of(row: export_audit::ExportAudit, locale: Locale, now: DateTime<Utc>) -> Result<Self> {
        let is_under_way = row.is_under_way(now);
        let dataset = Dataset::parse(&row.dataset).context("An export is on record of no dataset")?;
        let mut formats = ExportFormat::ALL.into_iter();
        let format = formats.find(|format| format.key() == row.format);
        let format = format.context("An export is on record in no format")?;
        Ok(Self {
            id: row.id,
            user: row.user_email.unwrap_or_else(|| COMMAND_LINE.in_locale(locale).to_owned()),
            dataset: dataset.into(),
            format: format.into(),
            filters: Json(row.filters),
            rows: number(row.rows),
            bytes: number(row.bytes),
            sha256: row.sha256.map(hex::encode),
            duration_ms: i32::try_from(row.duration_ms).unwrap_or(i32::MAX),
            outcome: if is_under_way { OutcomeName::Running } else { row.outcome.into() },
            started_at: row.started_at,
        })
    }
}

/// GraphQL's `Int` ends at 32 bits; its `Float` is exact up to eight petabytes.
#[expect(clippy::cast_precision_loss, reason = "no count comes near the numbers that would lose anything")]
fn number(count: i64) -> f64 {
    count as f64
}
