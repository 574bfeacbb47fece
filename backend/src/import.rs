//! Imports: turns a file into snapshots, or reports the errors in it.
//!
//! A thread reads and validates the file, chunk by chunk. For each chunk, the ids that the rows refer to are looked up,
//! and the valid rows are staged by COPY. At the end of the file, the staged rows that do not exist yet are recorded,
//! and recorded no more in a dry run. All of this is one transaction on a connection of its own. Knows nothing of
//! GraphQL or HTTP.

mod cancellable;
mod cell_problem;
mod chunk;
mod column;
mod content;
mod content_kind;
pub mod csv_file;
mod decode;
mod file_problem;
mod hashing;
mod header;
mod json_object;
mod json_rows;
mod number;
mod payload;
pub mod progress;
mod read_error;
mod record;
mod records;
mod references;
pub mod rejected_file;
mod row;
mod rows;
pub mod template;
mod timestamp;
pub mod undo;
mod window;
mod workbook;
mod write;

use std::fs::File;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use chrono::TimeDelta;
use diesel::QueryResult;
use domain::Locale;
use domain::access::ImportableRows;
use domain::import::{ImportMode, ImportState};
use domain::text::Text;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::app::App;
use crate::db::{Connection, outage};
use crate::error::{Error, Result};
use crate::metrics;
use crate::models::import::{Import, ImportFailure, ImportedBy, NewImport};
use crate::models::snapshot_table::SnapshotTable;
pub use cell_problem::CellProblem;
use file_problem::FileProblem;
use read_error::ReadError;
#[cfg(test)]
pub use rows::tests as reading;

/// One permit for each import that may run at the same time in this process. Further imports wait, so that
/// requests always find a database connection.
static RUN_PERMITS: Semaphore = Semaphore::const_new(2);

/// One permit for each import that may run or wait in this process, which limits the number of kept files.
static QUEUE_PERMITS: Semaphore = Semaphore::const_new(8);

/// How long an import waits for a database connection while others use all of them. Its file was received, so it waits
/// longer than a request.
const POOL_TIMEOUT: Duration = Duration::from_mins(10);

/// When the client should retry if the queue is full.
const RETRY_AFTER: Duration = Duration::from_mins(1);

/// A request to import a file.
#[derive(Clone, Debug)]
pub struct ImportRequest {
    pub table: SnapshotTable,
    /// The rows that the importer is allowed to import.
    pub rows: ImportableRows,
    /// What happens to valid rows if others are invalid.
    pub mode: ImportMode,
    pub effect: Effect,
    /// The id of the importing user.
    pub importer: i64,
    /// The language of messages.
    pub locale: Locale,
}

/// What an import does with valid rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Counts them without writing anything.
    CheckOnly,
    /// Writes them.
    Write,
}

/// An uploaded file.
#[derive(Debug)]
pub struct ReceivedFile {
    /// The client's name for the file. Never used as a path.
    pub name: String,
    pub content: File,
}

/// The time within which an import takes its lock. Until then, it does not count as abandoned.
const START_TIMEOUT: TimeDelta = TimeDelta::minutes(1);

const INTERRUPTED: Text = Text::new(
    "La importación se interrumpió y no se escribió nada. Vuelve a importar el archivo.",
    "The import was interrupted and nothing was written. Import the file again.",
);

const CANCELLED: Text = Text::new(
    "La importación se canceló porque quien la envió dejó de esperar. No se escribió nada.",
    "The import was cancelled, since its sender no longer waited for it. Nothing was written.",
);

/// The maximum length of a stored file name, in characters.
const MAX_FILENAME_CHARS: usize = 255;

/// Imports a file and returns when the import has ended. If the caller stops waiting for it, the import is cancelled
/// and nothing is written.
///
/// An invalid file is an error of the field `file`. Invalid rows are not an error.
pub async fn import(app: &App, request: ImportRequest, file: ReceivedFile) -> Result<Import> {
    let queue_permit = QUEUE_PERMITS.try_acquire().map_err(|_| Error::Busy { retry_after: RETRY_AFTER })?;
    let cancelled = CancellationToken::new();
    let _cancel_if_dropped = cancelled.clone().drop_guard();
    let task = tokio::spawn(run_import(app.clone(), request, file, queue_permit, cancelled));
    task.await.context("The task of an import failed")?
}

async fn run_import(
    app: App,
    request: ImportRequest,
    file: ReceivedFile,
    _queue_permit: SemaphorePermit<'static>,
    cancelled: CancellationToken,
) -> Result<Import> {
    let _run_permit = tokio::select! {
        permit = RUN_PERMITS.acquire() => permit.context("The semaphore of imports is closed")?,
        () = cancelled.cancelled() => return Err(Error::Conflict(CANCELLED.into())),
    };
    let size = file.content.metadata().context("Failed to read the received file")?.len();
    let name: String = file.name.chars().filter(|char| !char.is_control()).take(MAX_FILENAME_CHARS).collect();
    let new = NewImport {
        dataset: request.table.dataset().key(),
        mode: request.mode.key(),
        dry_run: request.effect == Effect::CheckOnly,
        filename: &name,
        size_bytes: i64::try_from(size).unwrap_or(i64::MAX),
        imported_by: request.importer,
        started_at: app.clock.now(),
    };
    let import = new.insert(&mut *app.pool.get().await?).await?;
    let started = Instant::now();
    let written = tokio::select! {
        written = write::write(&app, &request, &import, file.content, &cancelled) => written,
        () = cancelled.cancelled() => Err(Failure::Cancelled),
    };
    let (state, message, error) = match written {
        Ok(()) => {
            let import = find(&app, import.id).await?;
            app.metrics.imports().ended(&import, started.elapsed());
            return Ok(import);
        }
        Err(Failure::InvalidFile(problem)) => {
            let phrase = problem.phrase();
            let message = phrase.in_locale(request.locale).to_owned();
            (ImportState::Rejected, message, Error::invalid("file", phrase))
        }
        Err(Failure::Cancelled) => {
            let message = CANCELLED.in_locale(request.locale).to_owned();
            (ImportState::Failed, message, Error::Conflict(CANCELLED.into()))
        }
        Err(Failure::Internal(error)) => {
            (ImportState::Failed, error.message().into_locale(request.locale), error)
        }
    };
    let kind = match request.effect {
        Effect::CheckOnly => metrics::ImportKind::DryRun,
        Effect::Write => metrics::ImportKind::Real,
    };
    app.metrics.imports().aborted(request.table, state, kind, started.elapsed());
    let failure = ImportFailure { state: state.key(), message: &message, finished_at: app.clock.now() };
    // If this fails, the housekeeping job closes the import later.
    let recorded = async { anyhow::Ok(failure.store(&mut *app.pool.get().await?, import.id).await?) };
    if let Err(cause) = recorded.await
        && let Some(cause) = outage::loggable_cause(cause)
    {
        error!(import = import.id, cause, "Failed to record the end of an import");
    }
    Err(error)
}

async fn find(app: &App, id: i64) -> Result<Import> {
    let found = Import::find(&mut *app.pool.get().await?, id, ImportedBy::Any).await?;
    Ok(found.context("The import does not exist")?)
}

/// Marks imports whose process died as failed. None of their rows were written.
pub async fn close_abandoned(app: &App, conn: &mut Connection) -> QueryResult<()> {
    let now = app.clock.now();
    let message = INTERRUPTED.in_locale(app.config.hub.locale);
    Import::fail_abandoned(conn, now - START_TIMEOUT, now, message).await
}

/// Why an import failed.
#[derive(Debug)]
enum Failure {
    /// The file is invalid.
    InvalidFile(FileProblem),
    /// The client does not wait for it any more.
    Cancelled,
    /// An error on our side.
    Internal(Error),
}

impl From<ReadError> for Failure {
    fn from(broken: ReadError) -> Self {
        match broken {
            ReadError::InvalidFile(problem) => Self::InvalidFile(problem),
            ReadError::Io(error) => anyhow::Error::from(error).into(),
        }
    }
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Internal(error.into())
    }
}
