//! One import's transaction: from the file to its counts.

use std::fs::File;

use anyhow::Context as _;
use diesel::QueryResult;
use diesel_async::SimpleAsyncConnection as _;
use domain::Locale;
use tokio::sync::mpsc;

use super::chunk::{self, Chunk, Reading};
use super::hashing::Hashing;
use super::records::READ_BYTES;
use super::references::References;
use super::{Effect, Failure, Order};
use crate::app::App;
use crate::db::{Connection, UNLIMITED};
use crate::models::import::{Import, ImportMode, ImportState, Outcome, UnverifiedImport};
use crate::models::import_rejection::NewImportRejection;
use crate::models::snapshot_table::SnapshotTable;
use crate::models::staged_snapshot::StagedSnapshot;
use crate::telemetry::recorder::staged_snapshots::record_staged_snapshots;

/// So many chunks may wait while the database works; more would only take memory.
const WAITING_CHUNKS: usize = 2;

/// The longest part of a refused value that is kept beside its row, in characters.
const MAX_VALUE: usize = 200;

/// Reads the file, writes down what is refused and, unless that forbids it, records the rest.
pub(super) async fn write(
    conn: &mut Connection,
    app: &App,
    order: &Order,
    import: &Import,
    content: File,
) -> Result<Import, Failure> {
    let &Order { table, ref rows, mode, effect, importer: _, locale } = order;
    conn.batch_execute(UNLIMITED).await?;
    Import::show_alive(conn, import.id).await?;
    StagedSnapshot::make_table(conn).await?;
    let (sender, mut chunks) = mpsc::channel(WAITING_CHUNKS);
    let reading = Reading {
        table,
        zone: app.config.hub.timezone,
        max_rows: app.config.imports.max_rows,
        size_bytes: import.size_bytes.try_into().unwrap_or_default(),
        read_bytes: READ_BYTES,
    };
    let unverified = UnverifiedImport::of_size(conn, table, import.size_bytes).await?;
    let hashes = unverified.iter().map(|earlier| earlier.content_sha256.clone()).collect();
    let content = Hashing::new(content, hashes);
    let reader = tokio::task::spawn_blocking(move || chunk::read(content, reading, &sender));

    let mut references = References::new(rows.clone());
    let (mut good, mut refused) = (0, 0);
    while let Some(mut chunk) = chunks.recv().await {
        references.check(conn, &mut chunk).await?;
        good += chunk.good.len();
        refused += chunk.refused.len();
        keep_refused(conn, table, import, &chunk).await?;
        let rows: Vec<&StagedSnapshot> = chunk.good.iter().map(|(row, _)| row).collect();
        StagedSnapshot::insert_all(conn, &rows).await?;
    }
    let file = reader.await.context("The reading of a file was cut off").map_err(Failure::Internal)??;

    Import::take_turn(conn, table).await?;
    // A file that comes again means the same moments as the first time, also when only its beginning was read then.
    let earlier: Vec<(UnverifiedImport, u64)> = unverified
        .into_iter()
        .filter_map(|earlier| {
            let read = file.beginnings.iter().find(|read| read.sha256 == earlier.content_sha256)?;
            Some((earlier, read.bytes))
        })
        .collect();
    let same_content = Import::first_of_content(conn, table, &file.sha256).await?;
    let first = earlier.iter().map(|(earlier, _)| earlier.started_at).chain(same_content).min();
    StagedSnapshot::complete(conn, first.unwrap_or(import.started_at)).await?;
    let state = match mode {
        ImportMode::AllOrNothing if refused > 0 => ImportState::Rejected,
        ImportMode::AllOrNothing | ImportMode::SkipInvalid => ImportState::Done,
    };
    let new = match effect {
        Effect::Write if state == ImportState::Done => {
            for (earlier, bytes_read) in &earlier {
                earlier.set_read(conn, count_bytes(*bytes_read), &file.sha256).await?;
            }
            record_staged_snapshots(conn, table, import.id, app.clock.now()).await?
        }
        Effect::Write | Effect::CheckOnly => StagedSnapshot::count_new(conn, table).await?,
    };
    let rejected = state == ImportState::Rejected;
    let outcome = Outcome {
        state: state.key(),
        bytes_read: Some(count_bytes(file.bytes_read)),
        content_sha256: Some(file.sha256),
        rows_read: count(good + refused),
        rows_inserted: if rejected { 0 } else { count(new) },
        rows_duplicate: count(good - new),
        rows_rejected: count(refused),
        message: rejected.then(|| nothing_written(refused, locale)),
        finished_at: app.clock.now(),
    };
    Ok(outcome.store(conn, import.id).await?)
}

async fn keep_refused(
    conn: &mut Connection,
    table: SnapshotTable,
    import: &Import,
    chunk: &Chunk,
) -> QueryResult<()> {
    let values: Vec<String> =
        chunk.refused.iter().map(|(_, refusal, _)| refusal.value.chars().take(MAX_VALUE).collect()).collect();
    let rows: Vec<NewImportRejection<'_>> = chunk
        .refused
        .iter()
        .zip(&values)
        .map(|((line, refusal, text), value)| NewImportRejection {
            import_id: import.id,
            line: *line,
            column_name: refusal.column.map(|column| column.key(table)),
            value: Some(value),
            reason: refusal.problem.key(),
            row_text: chunk.text(text),
        })
        .collect();
    NewImportRejection::insert_all(conn, &rows).await
}

fn nothing_written(refused: usize, locale: Locale) -> String {
    match (locale, refused) {
        (Locale::Es, 1) => "Una fila es incorrecta; no se importó ninguna.".to_owned(),
        (Locale::En, 1) => "One row is wrong; none was imported.".to_owned(),
        (Locale::Es, _) => format!("{refused} filas son incorrectas; no se importó ninguna."),
        (Locale::En, _) => format!("{refused} rows are wrong; none was imported."),
    }
}

fn count_bytes(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
