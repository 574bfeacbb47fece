//! Imports: turns a file into snapshots, or reports the errors in it.
//!
//! A thread reads and validates the file, chunk by chunk. For each chunk, the database checks the ids that
//! the rows refer to and stages the valid rows. At the end of the file, the staged rows that do not exist yet
//! are recorded. All of this is one transaction. Knows nothing of GraphQL or HTTP.

mod cell_problem;
mod chunk;
mod column;
mod content;
mod decode;
mod file_problem;
mod hashing;
mod header;
mod number;
mod payload;
mod records;
mod references;
mod row;
mod timestamp;
mod write;

use std::fs::File;
use std::io::Seek as _;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use chrono::TimeDelta;
use diesel::QueryResult;
use diesel_async::AsyncConnection as _;
use domain::Locale;
use domain::access::ImportableRows;
use domain::import::{ImportMode, ImportState};
use domain::text::Text;
use tokio::sync::{Semaphore, SemaphorePermit};
use tracing::error;

use crate::app::App;
use crate::db::{Connection, outage};
use crate::error::{Error, Result};
use crate::metrics;
use crate::models::import::{Import, ImportOutcome, NewImport};
use crate::models::snapshot_table::SnapshotTable;
pub use cell_problem::CellProblem;
use file_problem::FileProblem;
use records::ReadError;

/// One permit for each import that may run at the same time in this process. Further imports wait, so that
/// requests always find a database connection.
static RUN_PERMITS: Semaphore = Semaphore::const_new(2);

/// One permit for each import that may run or wait in this process, which limits the number of kept files.
static QUEUE_PERMITS: Semaphore = Semaphore::const_new(8);

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

/// The maximum length of a stored file name, in characters.
const MAX_FILENAME_CHARS: usize = 255;

/// Imports a file and returns when the import has ended. The import continues even if the caller stops
/// waiting for it.
///
/// An invalid file is an error of the field `file`. Invalid rows are not an error.
pub async fn import(app: &App, request: ImportRequest, file: ReceivedFile) -> Result<Import> {
    let queue_permit = QUEUE_PERMITS.try_acquire().map_err(|_| Error::Busy { retry_after: RETRY_AFTER })?;
    let task = tokio::spawn(run_import(app.clone(), request, file, queue_permit));
    task.await.context("The task of an import failed")?
}

async fn run_import(
    app: App,
    request: ImportRequest,
    file: ReceivedFile,
    _queue_permit: SemaphorePermit<'static>,
) -> Result<Import> {
    let _run_permit = RUN_PERMITS.acquire().await.context("The semaphore of imports is closed")?;
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
    let (state, message, error) = match read_and_write(&app, &request, &import, file.content).await {
        Ok(import) => {
            app.metrics.imports().ended(&import, started.elapsed());
            return Ok(import);
        }
        Err(Failure::InvalidFile(problem)) => {
            let phrase = problem.phrase();
            let message = phrase.in_locale(request.locale).to_owned();
            (ImportState::Rejected, message, Error::invalid("file", phrase))
        }
        Err(Failure::Internal(cause)) => {
            let error = Error::from(cause);
            (ImportState::Failed, error.message().into_locale(request.locale), error)
        }
    };
    let outcome = ImportOutcome {
        state: state.key(),
        content_sha256: None,
        bytes_read: None,
        rows_read: 0,
        rows_inserted: 0,
        rows_duplicate: 0,
        rows_rejected: 0,
        message: Some(message),
        finished_at: app.clock.now(),
    };
    let kind = match request.effect {
        Effect::CheckOnly => metrics::ImportKind::DryRun,
        Effect::Write => metrics::ImportKind::Real,
    };
    app.metrics.imports().aborted(request.table, state, kind, started.elapsed());
    // If this fails, the housekeeping job closes the import later.
    let recorded = async { anyhow::Ok(outcome.store(&mut *app.pool.get().await?, import.id).await?) };
    if let Err(cause) = recorded.await
        && let Some(cause) = outage::loggable_cause(cause)
    {
        error!(import = import.id, cause, "Failed to record the end of an import");
    }
    Err(error)
}

/// Imports the file on a separate connection. It is returned before the end of the import is recorded, since
/// it may be broken by then.
async fn read_and_write(
    app: &App,
    request: &ImportRequest,
    import: &Import,
    mut content: File,
) -> Result<Import, Failure> {
    content.rewind().context("Failed to read the received file").map_err(Failure::Internal)?;
    let mut conn = app.pool.get().await.context("No database connection").map_err(Failure::Internal)?;
    conn.transaction(async |conn| write::write(conn, app, request, import, content).await).await
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
    /// An error on our side.
    Internal(anyhow::Error),
}

impl From<FileProblem> for Failure {
    fn from(problem: FileProblem) -> Self {
        Self::InvalidFile(problem)
    }
}

impl From<ReadError> for Failure {
    fn from(broken: ReadError) -> Self {
        match broken {
            ReadError::InvalidFile(problem) => Self::InvalidFile(problem),
            ReadError::Io(error) => Self::Internal(error.into()),
        }
    }
}

impl From<diesel::result::Error> for Failure {
    fn from(error: diesel::result::Error) -> Self {
        Self::Internal(error.into())
    }
}
