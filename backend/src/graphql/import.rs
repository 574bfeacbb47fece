//! Imports of snapshots: making one, and the history.

mod rejections;

use async_graphql::connection::{Connection, Edge, EmptyFields};
use async_graphql::dataloader::DataLoader;
use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::Viewer;
use domain::access::{Act, ImportGrant, Role};
use domain::text::Text;
use futures_util::FutureExt as _;

use self::rejections::FirstOf;
pub use self::rejections::Rejections;
use super::catalog::{at_most, list_cost};
use super::context::ContextExt as _;
use super::dataset::email;
use super::names::DatasetName;
use super::total::Total;
use super::upload::Upload;
use crate::error::{Error, Result, SharedError};
use crate::id::Id;
use crate::import::{self, CellProblem, Effect, Order};
use crate::models::import::{Import as ImportRow, ImportMode, ImportState, ImportedBy};
use crate::models::import_rejection::ImportRejection;
use crate::models::snapshot_table::SnapshotTable;
use crate::source::Cursor;

const NOT_IMPORTABLE: Text = Text::new(
    "Se importan STUDENT_ACTIVITY_SNAPSHOTS y TEACHER_ACTIVITY_SNAPSHOTS.",
    "Accepted: STUDENT_ACTIVITY_SNAPSHOTS or TEACHER_ACTIVITY_SNAPSHOTS.",
);
const NO_CURSOR: Text = Text::new("Eso no es un cursor de esta lista.", "That is no cursor of this list.");

/// The history of imports.
#[derive(Default)]
pub struct ImportQuery;

type Imports = Connection<String, Import, Total, EmptyFields>;

#[Object]
impl ImportQuery {
    /// An import: one of one's own, or any for an admin. Null when there is no such import.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN without manage-settings.
    async fn import(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The import's id.")] id: Id,
    ) -> Result<Option<Import>> {
        let whose = whose(ctx.viewer_who_may(Act::Import)?);
        Ok(ImportRow::find(&mut *ctx.conn().await?, id.0, whose).await?.map(Import))
    }

    /// One's own imports, or all for an admin, the newest first; dry runs too.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN without manage-settings; BAD_USER_INPUT.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn imports(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most so many, from 0 to 500; 20 unless told.", default = 20)] first: Option<i32>,
        #[graphql(desc = "Behind the import with this cursor.")] after: Option<String>,
    ) -> Result<Imports> {
        let whose = whose(ctx.viewer_who_may(Act::Import)?);
        let limit = at_most("first", first.unwrap_or(20))?;
        let behind = match &after {
            Some(cursor) => Some(Cursor::decode(cursor).ok_or(Error::invalid("after", NO_CURSOR))?),
            None => None,
        };
        let mut page = ImportRow::page(&mut *ctx.conn().await?, whose, behind, limit + 1).await?;
        let wanted = usize::try_from(limit).unwrap_or_default();
        let has_next = page.len() > wanted;
        page.truncate(wanted);
        let total = Total::new(move |conn| ImportRow::count(conn, whose).boxed());
        let mut imports = Connection::with_additional_fields(after.is_some(), has_next, total);
        imports.edges = page.into_iter().map(|row| Edge::new(row.cursor().encode(), Import(row))).collect();
        Ok(imports)
    }
}

/// Importing.
#[derive(Default)]
pub struct ImportMutation;

#[Object]
impl ImportMutation {
    /// Imports a file of snapshots, and answers when it is through: a CSV in UTF-8, separated by commas or semicolons,
    /// whose header names the columns by key or by title in either language, in any order.
    ///
    /// Rows that are already there are counted and not inserted again, so an import can be repeated. Bad rows are no
    /// error: the answer lists them. For a Teacher Admin a row is bad, too, that names neither a course nor a lesson,
    /// or, where only assigned courses count, anything of another course.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN without manage-settings, and for a Teacher Admin who wants to import teacher
    /// snapshots; BAD_USER_INPUT for the dataset, and for a file that cannot be read as a whole (wrong kind, unknown
    /// columns, too large), which is also kept in the history.
    async fn import_snapshots(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Student or teacher snapshots.")] dataset: DatasetName,
        #[graphql(desc = "The file.")] file: Upload,
        #[graphql(
            desc = "What happens to good rows when others are bad.",
            default_with = "ImportMode::AllOrNothing"
        )]
        mode: ImportMode,
        #[graphql(desc = "Only check and count.", default = false)] dry_run: bool,
    ) -> Result<Import> {
        let viewer = ctx.viewer_who_may(Act::Import)?;
        let table =
            SnapshotTable::of(dataset.into()).ok_or_else(|| Error::invalid("dataset", NOT_IMPORTABLE))?;
        let rows = ImportGrant::new(viewer, table.dataset())?.rows().clone();
        let effect = if dry_run { Effect::CheckOnly } else { Effect::Write };
        let order =
            Order { table, rows, mode, effect, importer: viewer.user_id, locale: ctx.request().locale };
        let file = file.received(ctx)?;
        Ok(Import(import::import(ctx.app(), order, file).await?))
    }
}

/// Whose imports somebody sees. Refused rows show what is in a file, so they are for whoever sent it.
fn whose(viewer: &Viewer) -> ImportedBy {
    match viewer.role {
        Role::Admin => ImportedBy::Anybody,
        Role::TeacherAdmin | Role::Teacher | Role::Student | Role::Service => {
            ImportedBy::User(viewer.user_id)
        }
    }
}

fn int(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// An import of a file, or a dry run of one.
pub struct Import(ImportRow);

#[Object]
impl Import {
    /// Identifies the import.
    async fn id(&self) -> Id {
        Id(self.0.id)
    }

    /// Where its rows go.
    async fn dataset(&self) -> DatasetName {
        self.0.table.dataset().into()
    }

    /// How far it has come.
    async fn state(&self) -> ImportState {
        self.0.state
    }

    /// What happens to good rows when others are bad.
    async fn mode(&self) -> ImportMode {
        self.0.mode
    }

    /// Whether it only checked and counted.
    async fn dry_run(&self) -> bool {
        self.0.dry_run
    }

    /// The file's name as its sender wrote it.
    async fn filename(&self) -> &str {
        &self.0.filename
    }

    /// The file's size.
    #[expect(clippy::cast_precision_loss, reason = "exact up to 9 PB")]
    async fn size_bytes(&self) -> f64 {
        self.0.size_bytes as f64
    }

    /// Rows that were read, without the header and blank lines.
    async fn rows_read(&self) -> i32 {
        int(self.0.rows_read)
    }

    /// Rows that were inserted; in a dry run, those that would be.
    async fn rows_inserted(&self) -> i32 {
        int(self.0.rows_inserted)
    }

    /// Good rows that were already there, or in the file before.
    async fn rows_duplicate(&self) -> i32 {
        int(self.0.rows_duplicate)
    }

    /// Rows that were refused.
    async fn rows_rejected(&self) -> i32 {
        int(self.0.rows_rejected)
    }

    /// The first refused rows, in the order of the file. Errors: BAD_USER_INPUT.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn rejected_rows(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most so many, from 0 to 500; 20 unless told.", default = 20)] first: Option<i32>,
    ) -> Result<Vec<RejectedRow>, SharedError> {
        let limit = at_most("first", first.unwrap_or(20))?;
        let rejections = ctx.data_unchecked::<DataLoader<Rejections>>();
        let rows = rejections.load_one(FirstOf { import: self.0.id, limit }).await?.unwrap_or_default();
        let locale = ctx.request().locale;
        let row = |row: ImportRejection| RejectedRow {
            line: int(row.line),
            column: row.column_name,
            value: row.value,
            reason: CellProblem::parse(&row.reason)
                .map_or(row.reason, |problem| problem.message().in_locale(locale).to_owned()),
        };
        Ok(rows.into_iter().map(row).collect())
    }

    /// Where all refused rows can be downloaded; null while there is no such file.
    async fn rejected_rows_url(&self) -> Option<&str> {
        None
    }

    /// Why it was rejected or failed.
    async fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// The e-mail address of who imported it.
    async fn imported_by(&self, ctx: &Context<'_>) -> Result<String, SharedError> {
        email(ctx, Id(self.0.imported_by)).await
    }

    /// When it began; also the date of rows without one.
    async fn started_at(&self) -> DateTime<Utc> {
        self.0.started_at
    }

    /// When it ended; null while it is under way.
    async fn finished_at(&self) -> Option<DateTime<Utc>> {
        self.0.finished_at
    }
}

/// A row that was refused.
#[derive(SimpleObject)]
pub struct RejectedRow {
    /// The line of the file where the row begins, from 1.
    line: i32,
    /// The column that is wrong; null when it is the row as a whole.
    column: Option<String>,
    /// What stood there, up to 200 characters of it.
    value: Option<String>,
    /// What is wrong and what is accepted.
    reason: String,
}
