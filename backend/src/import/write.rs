//! The transaction of an import, from reading the file to counting its rows.

use std::fs::File;

use anyhow::Context as _;
use diesel::QueryResult;
use domain::import::{ImportMode, ImportState};
use domain::text::Phrase;
use tokio::sync::mpsc;

use super::chunk::{self, Chunk, ReadOptions};
use super::hashing::HashingReader;
use super::records::READ_BYTES;
use super::references::References;
use super::{Effect, Failure, ImportRequest};
use crate::app::App;
use crate::db::Connection;
use crate::models::import::{Import, ImportOutcome, UnverifiedImport};
use crate::models::import_rejection::NewImportRejection;
use crate::models::session_settings;
use crate::models::snapshot_table::SnapshotTable;
use crate::models::staged_snapshot::{StagedSnapshot, record_staged_snapshots};

/// The number of chunks that may wait for the database. More would only use memory.
const CHANNEL_CAPACITY: usize = 2;

/// The maximum length of a rejected value that is stored with its row, in characters.
const MAX_VALUE_CHARS: usize = 200;

/// Reads the file, stores the rejected rows and, if the mode and effect allow it, records the others.
pub(super) async fn write(
    conn: &mut Connection,
    app: &App,
    request: &ImportRequest,
    import: &Import,
    content: File,
) -> Result<Import, Failure> {
    let &ImportRequest { table, ref rows, mode, effect, importer: _, locale } = request;
    session_settings::without_statement_timeout(conn).await?;
    Import::acquire_alive_lock(conn, import.id).await?;
    StagedSnapshot::create_table(conn).await?;
    let (sender, mut chunks) = mpsc::channel(CHANNEL_CAPACITY);
    let options = ReadOptions {
        table,
        zone: app.config.hub.timezone,
        max_rows: app.config.imports.max_rows,
        size_bytes: import.size_bytes.try_into().unwrap_or_default(),
        read_bytes: READ_BYTES,
    };
    let unverified = UnverifiedImport::with_size(conn, table, import.size_bytes).await?;
    let hashes = unverified.iter().map(|earlier| earlier.content_sha256.clone()).collect();
    let content = HashingReader::new(content, hashes);
    let reader = tokio::task::spawn_blocking(move || chunk::read(content, options, &sender));

    let mut references = References::new(rows.clone());
    let (mut good, mut rejected) = (0, 0);
    while let Some(mut chunk) = chunks.recv().await {
        references.check(conn, &mut chunk).await?;
        good += chunk.good.len();
        rejected += chunk.rejected.len();
        save_rejected_rows(conn, table, import, &chunk).await?;
        let rows: Vec<&StagedSnapshot> = chunk.good.iter().map(|(row, _)| row).collect();
        StagedSnapshot::insert_all(conn, &rows).await?;
    }
    let file = reader.await.context("The task that reads a file failed").map_err(Failure::Internal)??;

    Import::acquire_table_lock(conn, table).await?;
    // If the file was imported before, blank dates get the time of that import, even if it only read a part
    // of the file.
    let earlier: Vec<(UnverifiedImport, u64)> = unverified
        .into_iter()
        .filter_map(|earlier| {
            let read = file.matching_prefixes.iter().find(|read| read.sha256 == earlier.content_sha256)?;
            Some((earlier, read.bytes))
        })
        .collect();
    let same_content = Import::first_with_content(conn, table, &file.sha256).await?;
    let first = earlier.iter().map(|(earlier, _)| earlier.started_at).chain(same_content).min();
    StagedSnapshot::fill_missing_dates(conn, first.unwrap_or(import.started_at)).await?;
    let state = match mode {
        ImportMode::AllOrNothing if rejected > 0 => ImportState::Rejected,
        ImportMode::AllOrNothing | ImportMode::SkipInvalid => ImportState::Done,
    };
    let new = match effect {
        Effect::Write if state == ImportState::Done => {
            for (earlier, bytes_read) in &earlier {
                earlier.record_bytes_read(conn, count_bytes(*bytes_read), &file.sha256).await?;
            }
            record_staged_snapshots(conn, table, import.id, app.clock.now()).await?
        }
        Effect::Write | Effect::CheckOnly => StagedSnapshot::count_new(conn, table).await?,
    };
    let is_rejected = state == ImportState::Rejected;
    let outcome = ImportOutcome {
        state: state.key(),
        bytes_read: Some(count_bytes(file.bytes_read)),
        content_sha256: Some(file.sha256),
        rows_read: count(good + rejected),
        rows_inserted: if is_rejected { 0 } else { count(new) },
        rows_duplicate: count(good - new),
        rows_rejected: count(rejected),
        message: is_rejected.then(|| rejected_message(rejected).into_locale(locale)),
        finished_at: app.clock.now(),
    };
    Ok(outcome.store(conn, import.id).await?)
}

async fn save_rejected_rows(
    conn: &mut Connection,
    table: SnapshotTable,
    import: &Import,
    chunk: &Chunk,
) -> QueryResult<()> {
    let values: Vec<String> = chunk
        .rejected
        .iter()
        .map(|(_, rejection, _)| rejection.value.chars().take(MAX_VALUE_CHARS).collect())
        .collect();
    let rows: Vec<NewImportRejection<'_>> = chunk
        .rejected
        .iter()
        .zip(&values)
        .map(|((line, rejection, text), value)| NewImportRejection {
            import_id: import.id,
            line: *line,
            column_name: rejection.column.map(|column| column.key(table)),
            value: Some(value),
            reason: rejection.problem.key(),
            row_text: chunk.text(text),
        })
        .collect();
    NewImportRejection::insert_all(conn, &rows).await
}

fn rejected_message(rejected: usize) -> Phrase {
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

fn count_bytes(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
