//! The transaction of an import, from reading the file to counting its rows.

use std::fs::File;

use anyhow::Context as _;
use domain::import::{ImportMode, ImportState};
use domain::text::Phrase;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::cancellable::CancellableFile;
use super::chunk::{self, Chunk};
use super::progress::Progress;
use super::references::References;
use super::row::RowRules;
use super::rows::{READ_BYTES, ReadOptions};
use super::{Effect, Failure, ImportRequest, POOL_TIMEOUT};
use crate::app::App;
use crate::models::copy_rows::CopyRows;
use crate::models::import::Import;
use crate::models::import_rejection::NewImportRejection;
use crate::models::import_transaction::{Fate, ImportResult, ImportTransaction};
use crate::models::snapshot_table::SnapshotTable;
use crate::spreadsheet;

/// The number of chunks that may wait for the database. More would only use memory.
const CHANNEL_CAPACITY: usize = 2;

/// The maximum length of a rejected value that is stored with its row, in characters.
const MAX_VALUE_CHARS: usize = 200;

/// Reads the file, stores the rejected rows and, if the mode and effect allow it, records the others.
pub(super) async fn write(
    app: &App,
    request: &ImportRequest,
    import: &Import,
    content: File,
    cancelled: &CancellationToken,
) -> Result<(), Failure> {
    let &ImportRequest { table, ref rows, mode, effect, importer: _, locale } = request;
    let conn = app.pool.open_copy_connection().await?;
    let transaction = ImportTransaction::begin(conn, import.id).await?;
    let progress = Progress::default();
    let recording_progress = progress.record(app, import.id);

    let (sender, mut chunks) = mpsc::channel(CHANNEL_CAPACITY);
    let limits = &app.config.imports;
    let options = ReadOptions {
        table,
        max_rows: limits.max_rows,
        max_columns: limits.max_columns,
        max_row_bytes: limits.max_row_bytes,
        zone: app.config.hub.timezone,
        max_uncompressed_bytes: limits.max_bytes,
        size_bytes: import.size_bytes.try_into().unwrap_or_default(),
        read_bytes: READ_BYTES,
    };
    let rules = RowRules {
        zone: app.config.hub.timezone,
        max_cell_bytes: limits.max_cell_bytes,
        max_nesting: limits.max_nesting,
    };
    // The reading thread also ends if the database fails.
    let ended = cancelled.child_token();
    let content = CancellableFile::new(content, ended.clone());
    let _stops_reading = ended.drop_guard();
    let reader = tokio::task::spawn_blocking(move || chunk::read(content, &options, &rules, &sender));
    let mut references = References::new(rows.clone());
    let (mut good, mut rejected) = (0, 0);
    while let Some(mut chunk) = chunks.recv().await {
        references.check(&app.pool, &mut chunk).await?;
        good += count(chunk.good.len());
        rejected += count(chunk.rejected.len());
        if !chunk.rejected.is_empty() {
            transaction.reject(encode_rejected(table, import, &chunk)).await?;
        }
        if !chunk.good.is_empty() {
            transaction.stage(chunk.take_staged()).await?;
        }
        progress.update(|progress| {
            progress.bytes_read = i64::try_from(chunk.bytes_read).unwrap_or(i64::MAX);
            (progress.rows_read, progress.rows_rejected) = (good + rejected, rejected);
        });
    }
    let file = reader.await.context("The task that reads a file failed")??;
    progress.update(|progress| progress.bytes_read = import.size_bytes);

    transaction.lock_table(table).await?;
    // If the file was imported before, blank dates get the time of that import.
    let mut conn = app.pool.get_within(POOL_TIMEOUT).await?;
    let same_content = Import::first_with_content(&mut conn, table, &file.digest.sha256).await?;
    drop(conn);
    let default_date = same_content.unwrap_or(import.started_at);
    let state = match mode {
        ImportMode::AllOrNothing if rejected > 0 => ImportState::Rejected,
        ImportMode::AllOrNothing | ImportMode::SkipInvalid => ImportState::Done,
    };
    let fate = match effect {
        Effect::Write if state == ImportState::Done => Fate::Keep,
        Effect::Write | Effect::CheckOnly => Fate::Discard,
    };
    let dates = (default_date, app.clock.now());
    let on_progress = |inserted: u64, part: f64| {
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "an estimate")]
        let checked = (good as f64 * part) as i64;
        let inserted = i64::try_from(inserted).unwrap_or(i64::MAX);
        progress.update(|progress| {
            (progress.rows_inserted, progress.rows_duplicate) = (inserted, (checked - inserted).max(0));
        });
    };
    let new = transaction.record(table, import.id, dates, fate, on_progress).await?;
    let new = i64::try_from(new).unwrap_or(i64::MAX);
    drop(recording_progress);

    let is_rejected = state == ImportState::Rejected;
    let result = ImportResult {
        state: state.key(),
        content_sha256: &file.digest.sha256,
        columns: &file.columns,
        rows_read: good + rejected,
        rows_inserted: if is_rejected { 0 } else { new },
        rows_duplicate: good - new,
        rows_rejected: rejected,
        message: is_rejected.then(|| rejected_message(rejected).into_locale(locale)),
        finished_at: app.clock.now(),
    };
    transaction.commit(import.id, &result).await?;
    Ok(())
}

fn encode_rejected(table: SnapshotTable, import: &Import, chunk: &Chunk) -> bytes::Bytes {
    let mut rows = CopyRows::default();
    for row in &chunk.rejected {
        let value: String = row.rejection.value.chars().take(MAX_VALUE_CHARS).collect();
        let rejection = NewImportRejection {
            import_id: import.id,
            line: row.line,
            column_name: row.rejection.column.map(|column| column.key(table)),
            value: &value,
            reason: row.rejection.problem.key(),
            // The file of rejected rows puts a guard before each text that needs one.
            cells: chunk
                .record(row)
                .cells()
                .map(|cell| if chunk.has_guards { spreadsheet::restore_any(cell) } else { cell.into() }),
        };
        rejection.encode(&mut rows);
    }
    rows.into_bytes()
}

fn rejected_message(rejected: i64) -> Phrase {
    match rejected {
        1 => Phrase::new(
            "Hay una fila no válida. No se importó ninguna.",
            "One row is invalid. Nothing was imported.",
        ),
        _ => Phrase::new(
            format!("Hay {rejected} filas no válidas. No se importó ninguna."),
            format!("{rejected} rows are invalid. Nothing was imported."),
        ),
    }
}

fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
