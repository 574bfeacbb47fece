//! Imports of snapshots, and their history.

mod rejections;
mod subscription;

use async_graphql::dataloader::DataLoader;
use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::Dataset;
use domain::access::{Act, ImportGrant};
use domain::import::{ImportMode, ImportState};
use domain::text::Text;
use futures_util::FutureExt as _;

use self::rejections::FirstOf;
pub use self::rejections::Rejections;
pub use self::subscription::ImportSubscription;
use super::connection::{List, ListPage, Total, list_cost, page_size};
use super::context::ContextExt as _;
use super::upload::Upload;
use crate::error::{Error, Result, SharedError};
use crate::id::Id;
use crate::import::rejected_file::{self, RejectedRowsLink};
use crate::import::{self, CellProblem, Effect, ImportRequest, progress, undo};
use crate::models::import::Import as ImportRow;
use crate::models::import_rejection::ImportRejection;
use crate::models::snapshot_table::SnapshotTable;
use crate::models::user_email::user_email;
use crate::source::Cursor;

const NOT_IMPORTABLE: Text = Text::new(
    "Se acepta STUDENT_ACTIVITY_SNAPSHOTS o TEACHER_ACTIVITY_SNAPSHOTS.",
    "Accepted: STUDENT_ACTIVITY_SNAPSHOTS or TEACHER_ACTIVITY_SNAPSHOTS.",
);

/// The history of imports.
#[derive(Default)]
pub struct ImportQuery;

#[Object]
impl ImportQuery {
    /// An import of the caller, or of any user if the caller is an admin. Null if it does not exist.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN without the permission manage-settings.
    async fn import(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the import.")] id: Id,
    ) -> Result<Option<Import>> {
        let visible = undo::visible_to(ctx.viewer_who_may(Act::Import)?);
        Ok(ImportRow::find(&mut *ctx.conn().await?, id.0, visible).await?.map(Import))
    }

    /// The caller's imports, newest first, dry runs included. Admins see all users' imports.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN without the permission manage-settings; BAD_USER_INPUT.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn imports(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Maximum number of items, 0–500. Default 20.", default = 20)] first: Option<i32>,
        #[graphql(desc = "Only imports after this cursor.")] after: Option<String>,
    ) -> Result<List<Import>> {
        let visible = undo::visible_to(ctx.viewer_who_may(Act::Import)?);
        let page = ListPage::new(first.unwrap_or(20), after.as_deref(), Cursor::decode)?;
        let rows = ImportRow::page(&mut *ctx.conn().await?, visible, page.after, page.limit()).await?;
        let total = Total::new(move |conn| ImportRow::count(conn, visible).boxed());
        page.connection(rows, |row| row.cursor().encode(), |row| Ok(Import(row)), total)
    }
}

/// Imports files.
#[derive(Default)]
pub struct ImportMutation;

#[Object]
impl ImportMutation {
    /// Imports a file of snapshots and returns when it is finished: CSV, a JSON array of objects, NDJSON, or the
    /// first sheet of an Excel workbook (XLSX). Its content decides, not its name. Columns are named by key, or by
    /// title in either language, in any order. If the client disconnects, the import is cancelled.
    ///
    /// Rows that already exist are counted and not inserted again, so an import can be repeated. Invalid rows
    /// are not an error: the result lists them. A Teacher Admin's row must name a course or a lesson. If
    /// Teacher Admins are limited to assigned courses, it must belong to one of them.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN without the permission manage-settings, and for teacher snapshots
    /// of a Teacher Admin; BAD_USER_INPUT for another dataset, and for a file that cannot be read (wrong
    /// type, unknown columns, too large). Rejected files appear in the history too.
    async fn import_snapshots(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Student or teacher snapshots.")] dataset: Dataset,
        #[graphql(desc = "The file.")] file: Upload,
        #[graphql(
            desc = "What happens to valid rows when others are invalid.",
            default_with = "ImportMode::AllOrNothing"
        )]
        mode: ImportMode,
        #[graphql(desc = "Check and count rows without writing them.", default = false)] dry_run: bool,
    ) -> Result<Import> {
        let viewer = ctx.viewer_who_may(Act::Import)?;
        let table = SnapshotTable::of(dataset).ok_or_else(|| Error::invalid("dataset", NOT_IMPORTABLE))?;
        let rows = ImportGrant::new(viewer, table.dataset())?.rows().clone();
        let effect = if dry_run { Effect::CheckOnly } else { Effect::Write };
        let request = ImportRequest {
            table,
            rows,
            mode,
            effect,
            importer: viewer.user_id,
            locale: ctx.request().locale,
        };
        let file = file.received_file(ctx)?;
        Ok(Import(import::import(ctx.app(), request, file).await?))
    }

    /// Deletes the rows that an import inserted. Rows that existed before it stay. Importing the same file again
    /// inserts them again.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN without the permission manage-settings, and for teacher snapshots of a Teacher
    /// Admin; BAD_USER_INPUT unless it is the caller's import or the caller is an admin; CONFLICT if the import inserted
    /// nothing, is in progress, or was undone before, and while another import is storing rows in the dataset.
    async fn undo_import(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the import.")] id: Id,
    ) -> Result<Import> {
        let viewer = ctx.viewer_who_may(Act::Import)?;
        Ok(Import(undo::undo(ctx.app(), id.0, viewer).await?))
    }
}

fn int(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// An import of a file, or a dry run of one.
pub struct Import(ImportRow);

#[Object]
impl Import {
    /// ID of the import.
    async fn id(&self) -> Id {
        Id(self.0.id)
    }

    /// The dataset that rows are imported into.
    async fn dataset(&self) -> Dataset {
        self.0.table.dataset()
    }

    /// State of the import.
    async fn state(&self) -> ImportState {
        self.0.state
    }

    /// What happens to valid rows when others are invalid.
    async fn mode(&self) -> ImportMode {
        self.0.mode
    }

    /// Whether rows were only checked and counted.
    async fn dry_run(&self) -> bool {
        self.0.dry_run
    }

    /// Name of the file.
    async fn filename(&self) -> &str {
        &self.0.filename
    }

    /// Size of the file in bytes.
    #[expect(clippy::cast_precision_loss, reason = "exact up to 9 PB")]
    async fn size_bytes(&self) -> f64 {
        self.0.size_bytes as f64
    }

    /// Bytes of the file that were read so far.
    #[expect(clippy::cast_precision_loss, reason = "exact up to 9 PB")]
    async fn bytes_read(&self) -> f64 {
        self.0.bytes_read as f64
    }

    /// Rows read per second, while the import is in progress.
    async fn rows_per_second(&self, ctx: &Context<'_>) -> Option<i32> {
        progress::estimate(&self.0, ctx.app().clock.now()).map(|estimate| int(estimate.rows_per_second))
    }

    /// Seconds that the import will still take, about. Null unless it is in progress.
    async fn seconds_left(&self, ctx: &Context<'_>) -> Option<i32> {
        progress::estimate(&self.0, ctx.app().clock.now())?.seconds_left.map(int)
    }

    /// Rows in the file, without the header and blank lines.
    async fn rows_read(&self) -> i32 {
        int(self.0.rows_read)
    }

    /// Rows that were inserted. In a dry run, rows that would be inserted.
    async fn rows_inserted(&self) -> i32 {
        int(self.0.rows_inserted)
    }

    /// Valid rows that already existed, or that are repeated in the file.
    async fn rows_duplicate(&self) -> i32 {
        int(self.0.rows_duplicate)
    }

    /// Rows that were rejected.
    async fn rows_rejected(&self) -> i32 {
        int(self.0.rows_rejected)
    }

    /// The first rejected rows, in the order of the file. Errors: BAD_USER_INPUT.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn rejected_rows(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Maximum number of items, 0–500. Default 20.", default = 20)] first: Option<i32>,
    ) -> Result<Vec<RejectedRow>, SharedError> {
        let limit = page_size(first.unwrap_or(20))?;
        let rejections = ctx.data_unchecked::<DataLoader<Rejections>>();
        let rows = rejections.load_one(FirstOf { import: self.0.id, limit }).await?.unwrap_or_default();
        let (locale, limits) = (ctx.request().locale, &ctx.app().config.imports);
        let row = |row: ImportRejection| RejectedRow {
            line: int(row.line),
            column: row.column_name,
            value: row.value,
            reason: CellProblem::describe(&row.reason, limits, locale),
        };
        Ok(rows.into_iter().map(row).collect())
    }

    /// Path of a CSV file with all rejected rows: their original cells, and the columns `line` and `error`, which
    /// an import ignores. Valid for five minutes. Null if no row was rejected.
    async fn rejected_rows_url(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        if !rejected_file::exists(&self.0) {
            return Ok(None);
        }
        let identity = ctx.identity()?;
        let link = RejectedRowsLink {
            user_id: identity.user.id,
            token_id: identity.token_id,
            import_id: self.0.id,
            locale: ctx.request().locale,
            expires_at: ctx.app().clock.now() + rejected_file::LIFETIME,
        };
        Ok(Some(link.sign(&ctx.app().auth.keys)))
    }

    /// Why the file was rejected, or why the import failed.
    async fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// E-mail address of the user who imported the file.
    async fn imported_by(&self, ctx: &Context<'_>) -> Result<String, SharedError> {
        user_email(ctx, Id(self.0.imported_by)).await
    }

    /// When the import started. Rows without a date get this date.
    async fn started_at(&self) -> DateTime<Utc> {
        self.0.started_at
    }

    /// When it ended. Null while it is in progress.
    async fn finished_at(&self) -> Option<DateTime<Utc>> {
        self.0.finished_at
    }
}

/// A rejected row.
#[derive(SimpleObject)]
pub struct RejectedRow {
    /// Line of the file on which the row starts, from 1.
    line: i32,
    /// The invalid column. Null if the whole row is invalid.
    column: Option<String>,
    /// The invalid value, up to 200 characters.
    value: Option<String>,
    /// What is wrong and what is accepted.
    reason: String,
}
