//! The export log, for admins.

use anyhow::Context as _;
use async_graphql::{Context, Enum, Json, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::access::Act;
use domain::filter::parse_id;
use domain::text::Text;
use domain::{Dataset, ExportFormat, Locale};
use futures_util::FutureExt as _;
use serde_json::Value;

use super::connection::{List, ListPage, Total, list_cost};
use super::context::ContextExt as _;
use crate::error::Result;
use crate::id::Id;
use crate::models::export_audit::{self, Outcome};

const COMMAND_LINE: Text = Text::new("línea de comandos", "command line");

/// The export log.
#[derive(Default)]
pub struct AuditQuery;

#[Object]
impl AuditQuery {
    /// Every export, newest first. Errors: UNAUTHENTICATED, FORBIDDEN unless the caller is an admin,
    /// BAD_USER_INPUT.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn export_audits(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Maximum number of items, 0–500. Default 50.", default = 50)] first: Option<i32>,
        #[graphql(desc = "Only exports after this cursor.")] after: Option<String>,
    ) -> Result<List<ExportAudit>> {
        ctx.viewer_who_may(Act::Audit)?;
        let page = ListPage::new(first.unwrap_or(50), after.as_deref(), |cursor| parse_id(cursor).ok())?;
        let rows =
            export_audit::ExportAudit::newest(&mut *ctx.conn().await?, page.after, page.limit()).await?;
        let (locale, now) = (ctx.request().locale, ctx.app().clock.now());
        let total = Total::new(|conn| export_audit::ExportAudit::count(conn).boxed());
        page.connection(rows, |row| row.id.to_string(), |row| ExportAudit::new(row, locale, now), total)
    }
}

/// An export.
#[derive(SimpleObject)]
pub struct ExportAudit {
    /// ID of the entry.
    id: Id,
    /// E-mail address of the user, or the name of the command line.
    user: String,
    /// The dataset.
    dataset: Dataset,
    /// The file format.
    format: ExportFormat,
    /// The filters by key.
    filters: Json<Value>,
    /// Rows that were sent.
    rows: f64,
    /// Bytes that were sent, before compression.
    bytes: f64,
    /// SHA-256 of the content before compression, in hexadecimal. Null unless the file was sent completely.
    sha256: Option<String>,
    /// Duration in milliseconds.
    duration_ms: i32,
    /// The outcome, or that it is in progress.
    outcome: ExportOutcome,
    /// When it started.
    started_at: DateTime<Utc>,
    /// Why it failed, if the user can do something about it.
    message: Option<String>,
}

impl ExportAudit {
    fn new(row: export_audit::ExportAudit, locale: Locale, now: DateTime<Utc>) -> Result<Self> {
        let is_running = row.is_running(now);
        let dataset = Dataset::parse(&row.dataset).context("An audited export has an unknown dataset")?;
        let mut formats = ExportFormat::ALL.into_iter();
        let format = formats.find(|format| format.key() == row.format);
        let format = format.context("An audited export has an unknown format")?;
        Ok(Self {
            id: row.id,
            user: row.user_email.unwrap_or_else(|| COMMAND_LINE.in_locale(locale).to_owned()),
            dataset,
            format,
            filters: Json(row.filters),
            rows: number(row.rows),
            bytes: number(row.bytes),
            sha256: row.sha256.map(hex::encode),
            duration_ms: i32::try_from(row.duration_ms).unwrap_or(i32::MAX),
            outcome: if is_running { ExportOutcome::Running } else { row.outcome.into() },
            started_at: row.started_at,
            message: row.message,
        })
    }
}

/// GraphQL's `Int` has 32 bits. Its `Float` is exact up to 2⁵³.
#[expect(clippy::cast_precision_loss, reason = "exact up to 2⁵³")]
fn number(count: i64) -> f64 {
    count as f64
}

/// The outcome of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ExportOutcome {
    /// In progress.
    Running,
    /// The file was sent completely.
    Complete,
    /// The client disconnected, or the server stopped.
    Aborted,
    /// The hub failed.
    Failed,
}

impl From<Outcome> for ExportOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Complete => Self::Complete,
            Outcome::Aborted => Self::Aborted,
            Outcome::Failed => Self::Failed,
        }
    }
}
