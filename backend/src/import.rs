//! Imports: a file becomes snapshots, or a list of what is wrong with it.
//!
//! A thread reads and checks the file, chunk by chunk; the database checks what the rows refer to and keeps the good ones
//! aside; and when the file is through, those that are not there yet are recorded, all in one transaction. Knows nothing
//! of GraphQL or HTTP.

mod cell_problem;
mod chunk;
mod column;
mod content;
mod file_problem;
mod hashing;
mod header;
mod payload;
mod records;
mod references;
mod row;
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
use domain::text::Text;
use tokio::sync::{Semaphore, SemaphorePermit};
use tracing::error;

use crate::app::App;
use crate::db::{Connection, outage};
use crate::error::{Error, Result};
use crate::metrics;
use crate::models::import::{Import, ImportMode, ImportState, NewImport, Outcome};
use crate::models::snapshot_table::SnapshotTable;
pub use cell_problem::CellProblem;
use file_problem::FileProblem;
use records::Broken;

/// So many imports work at a time in one process; the others wait, so that requests always find a connection.
static SLOTS: Semaphore = Semaphore::const_new(2);

/// So many imports work or wait in one process: the file of each is kept until its turn.
static QUEUE: Semaphore = Semaphore::const_new(8);

/// When to come back to a full queue.
const LATER: Duration = Duration::from_mins(1);

/// What somebody wants imported, and how.
#[derive(Clone, Debug)]
pub struct Order {
    /// Where the rows are to go.
    pub table: SnapshotTable,
    /// Which rows they may import there.
    pub rows: ImportableRows,
    /// What happens to good rows when others are bad.
    pub mode: ImportMode,
    /// Whether anything is to be written.
    pub effect: Effect,
    /// The id of the user who wants it.
    pub importer: i64,
    /// Their language.
    pub locale: Locale,
}

/// What an import does with good rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// They are checked and counted.
    CheckOnly,
    /// They are written.
    Write,
}

/// A file as it was received.
#[derive(Debug)]
pub struct ReceivedFile {
    /// Its name as the sender wrote it; never used as a path.
    pub name: String,
    /// Its content.
    pub content: File,
}

/// An import begins its work within this time.
const STARTING: TimeDelta = TimeDelta::minutes(1);

const CUT_OFF: Text = Text::new(
    "La importación se interrumpió y no se escribió nada. Vuelve a importar el archivo.",
    "The import was cut off and nothing was written. Import the file again.",
);

/// The longest file name that is kept, in characters.
const MAX_NAME: usize = 255;

/// Imports a file, and answers when that is through. The work goes on when whoever waits for it goes away.
///
/// A file that cannot be read as a whole is an error with the field `file`; bad rows are not.
pub async fn import(app: &App, order: Order, file: ReceivedFile) -> Result<Import> {
    let place = QUEUE.try_acquire().map_err(|_| Error::Busy { retry_after: LATER })?;
    let work = tokio::spawn(carry_out(app.clone(), order, file, place));
    work.await.context("An import was cut off")?
}

async fn carry_out(
    app: App,
    order: Order,
    file: ReceivedFile,
    _place: SemaphorePermit<'static>,
) -> Result<Import> {
    let _slot = SLOTS.acquire().await.context("Imports are closed")?;
    let size = file.content.metadata().context("The received file is gone")?.len();
    let name: String = file.name.chars().filter(|char| !char.is_control()).take(MAX_NAME).collect();
    let new = NewImport {
        dataset: order.table.dataset().key(),
        mode: order.mode.key(),
        dry_run: order.effect == Effect::CheckOnly,
        filename: &name,
        size_bytes: i64::try_from(size).unwrap_or(i64::MAX),
        imported_by: order.importer,
        started_at: app.clock.now(),
    };
    let import = new.insert(&mut *app.pool.get().await?).await?;
    let began = Instant::now();
    let (state, message, error) = match read_and_write(&app, &order, &import, file.content).await {
        Ok(import) => {
            app.metrics.imports().ended(&import, began.elapsed());
            return Ok(import);
        }
        Err(Failure::Refused(problem)) => {
            let phrase = problem.phrase();
            let message = phrase.in_locale(order.locale).to_owned();
            (ImportState::Rejected, message, Error::invalid("file", phrase))
        }
        Err(Failure::Internal(cause)) => {
            let error = Error::from(cause);
            (ImportState::Failed, error.message(order.locale), error)
        }
    };
    let outcome = Outcome {
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
    let run = match order.effect {
        Effect::CheckOnly => metrics::Run::Dry,
        Effect::Write => metrics::Run::Real,
    };
    app.metrics.imports().broke_off(order.table, state, run, began.elapsed());
    // Housekeeping says it later, in fewer words, if it cannot be said now.
    let stored = async { anyhow::Ok(outcome.store(&mut *app.pool.get().await?, import.id).await?) };
    if let Err(cause) = stored.await
        && let Some(cause) = outage::unexplained(cause)
    {
        error!(import = import.id, cause, "The end of an import could not be noted");
    }
    Err(error)
}

/// Works on a connection of its own, which is given back before anybody asks how it went: it may be broken by then.
async fn read_and_write(
    app: &App,
    order: &Order,
    import: &Import,
    mut content: File,
) -> Result<Import, Failure> {
    content.rewind().context("The received file is gone").map_err(Failure::Internal)?;
    let mut conn = app.pool.get().await.context("No database connection").map_err(Failure::Internal)?;
    conn.transaction(async |conn| write::write(conn, app, order, import, content).await).await
}

/// Says of imports whose process ended in the middle that they failed. Nothing of them was written.
pub async fn close_abandoned(app: &App, conn: &mut Connection) -> QueryResult<()> {
    let now = app.clock.now();
    let message = CUT_OFF.in_locale(app.config.hub.locale);
    Import::fail_abandoned(conn, now - STARTING, now, message).await
}

/// Why an import did not come to its end.
#[derive(Debug)]
enum Failure {
    /// The file is not as it should be.
    Refused(FileProblem),
    /// A fault of ours.
    Internal(anyhow::Error),
}

impl From<FileProblem> for Failure {
    fn from(problem: FileProblem) -> Self {
        Self::Refused(problem)
    }
}

impl From<Broken> for Failure {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Refused(problem) => Self::Refused(problem),
            Broken::Unreadable(error) => Self::Internal(error.into()),
        }
    }
}

impl From<diesel::result::Error> for Failure {
    fn from(error: diesel::result::Error) -> Self {
        Self::Internal(error.into())
    }
}
