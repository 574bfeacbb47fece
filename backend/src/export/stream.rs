//! Runs an export: one snapshot, one query, a bounded buffer, and a record of how it ended.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use diesel::row::{Field as _, Row as _};
use diesel_async::pooled_connection::deadpool::Object;
use domain::Grant;
use futures_util::{Stream, StreamExt as _, stream};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tracing::{error, warn};

use super::cell::{Cell, Wire};
use super::columns::{FileColumn, Origin, locate};
use super::emails::Emails;
use super::request::ExportRequest;
use super::writer::Writer;
use crate::app::App;
use crate::db::Connection;
use crate::error::{Error, Result};
use crate::models::export_audit::{ExportEnd, NewExportAudit};
use crate::source::erased::{self, AnySource};
use crate::source::{RawRow, snapshot};

/// A file on its way to somebody who may have it.
#[derive(Debug)]
pub struct Export {
    /// Who takes it.
    pub user_id: i64,
    /// From where.
    pub address: Option<IpAddr>,
    /// What they want.
    pub request: ExportRequest,
    /// Leave to have it.
    pub grant: Grant,
}

/// An export that has begun.
pub struct Started {
    messages: mpsc::Receiver<Message>,
}

/// The transfer broke off; what was sent is not the whole file.
#[derive(Debug, thiserror::Error)]
#[error("the export broke off")]
pub struct Broken;

enum Message {
    Chunk(Bytes),
    End,
}

/// Rows that are formatted in one go; also how many may wait for their e-mail addresses.
const BATCH: usize = 1024;
/// The output is sent in pieces of about this size, in bytes.
const CHUNK: usize = 64 << 10;
/// Pieces that may wait for a slow reader.
const WAITING_CHUNKS: usize = 4;
/// A reader who takes nothing for so long has gone away.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long an export waits for others to end.
const QUEUE: Duration = Duration::from_secs(10);

impl Started {
    /// The content. A file that is not completed ends in an error, never as if it were whole.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, Broken>> + Send {
        stream::unfold(Some(self.messages), |messages| async {
            let mut messages = messages?;
            match messages.recv().await {
                Some(Message::Chunk(bytes)) => Some((Ok(bytes), Some(messages))),
                Some(Message::End) => None,
                None => Some((Err(Broken), None)),
            }
        })
    }
}

impl Export {
    /// Starts the export; errors from here on break the stream.
    pub async fn start(self, app: &App) -> Result<Started> {
        let slots = app.export_slots.clone().acquire_owned();
        let Ok(Ok(slot)) = tokio::time::timeout(QUEUE, slots).await else {
            return Err(Error::TooMany { retry_after: QUEUE });
        };
        let source = erased::of(self.request.dataset);
        let columns = locate(source, &self.request.chosen_columns())?;
        let audit = self.put_on_record(app).await?;
        let mut conn = app.pool.get().await?;
        snapshot::begin(&mut conn).await?;
        let lookup = if columns.iter().any(|column| matches!(column.origin, Origin::EmailOf(_))) {
            let name = snapshot::share(&mut conn).await?;
            let mut lookup = app.pool.get().await?;
            snapshot::join(&mut lookup, &name).await?;
            Some(lookup)
        } else {
            None
        };
        let (chunks, messages) = mpsc::channel(WAITING_CHUNKS);
        let (ready, is_ready) = oneshot::channel();
        let progress = Progress { chunks, hash: Sha256::new(), rows: 0, bytes: 0 };
        let run = Run { app: app.clone(), export: self, source, columns, lookup, progress, slot };
        tokio::spawn(run.finish(conn, audit, ready));
        match is_ready.await {
            Ok(Ok(())) => Ok(Started { messages }),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(Error::Internal(anyhow::anyhow!("The export ended before it began"))),
        }
    }

    async fn put_on_record(&self, app: &App) -> Result<i64> {
        let ExportRequest { dataset, format, filter, columns, .. } = &self.request;
        let filters =
            filter.pairs().into_iter().map(|(key, value)| (key.key().to_owned(), Value::from(value)));
        let audit = NewExportAudit {
            user_id: self.user_id,
            dataset: dataset.key(),
            format: format.key(),
            filters: Value::Object(filters.collect()),
            column_keys: (!columns.is_empty()).then(|| columns.clone()),
            address: self.address.map(Into::into),
            started_at: app.clock.now(),
        };
        Ok(audit.insert(&mut *app.pool.get().await?).await?)
    }
}

struct Run {
    app: App,
    export: Export,
    source: &'static dyn AnySource,
    columns: Vec<FileColumn>,
    lookup: Option<Object<Connection>>,
    progress: Progress,
    slot: OwnedSemaphorePermit,
}

/// Why an export did not come to its end.
enum Stop {
    /// The reader went away or takes nothing.
    ReaderGone,
    /// Something failed.
    Failed(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Run {
    async fn finish(mut self, mut conn: Object<Connection>, audit: i64, ready: oneshot::Sender<Result<()>>) {
        let began = Instant::now();
        let cancel = conn.cancel_token();
        let result = self.pump(&mut conn, ready).await;
        if result.is_err() {
            // Stops the query, so that the connection is free at once; ROLLBACK waits for what is still on its way.
            if let Err(error) = cancel.cancel_query(tokio_postgres::NoTls).await {
                warn!(%error, "A query could not be cancelled");
            }
        }
        for conn in [Some(&mut conn), self.lookup.as_mut()].into_iter().flatten() {
            if let Err(error) = snapshot::end(conn).await {
                warn!(%error, "An export's transaction could not be ended");
            }
        }
        // The connections are back before the record and the reader learn of the end.
        drop((conn, self.lookup.take(), self.slot));
        let Progress { chunks, hash, rows, bytes } = self.progress;
        let outcome = match &result {
            Ok(()) => "complete",
            Err(Stop::ReaderGone) => "aborted",
            Err(Stop::Failed(_)) => "failed",
        };
        let sha256: [u8; 32] = hash.finalize().into();
        let end = ExportEnd {
            rows,
            bytes,
            sha256: result.is_ok().then_some(&sha256[..]),
            outcome,
            duration_ms: i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX),
        };
        let recorded = async { anyhow::Ok(end.save(&mut *self.app.pool.get().await?, audit).await?) }.await;
        if let Err(error) = recorded {
            error!(audit, cause = format!("{error:#}"), "The end of an export could not be put on record");
        }
        match result {
            // A reader who is gone needs no end.
            Ok(()) => drop(chunks.send(Message::End).await),
            Err(Stop::ReaderGone) => {}
            Err(Stop::Failed(error)) => {
                error!(audit, cause = format!("{error:#}"), "An export failed");
            }
        }
    }

    async fn pump(&mut self, conn: &mut Connection, ready: oneshot::Sender<Result<()>>) -> Result<(), Stop> {
        let zone = self.app.config.hub.timezone;
        let rows = match self.source.stream(conn, &self.export.grant, zone).await {
            Ok(rows) => rows,
            Err(error) => {
                // Whoever asked is told, as nothing has been sent yet.
                drop(ready.send(Err(error.into())));
                return Err(Stop::ReaderGone);
            }
        };
        if ready.send(Ok(())).is_err() {
            return Err(Stop::ReaderGone);
        }
        let mut batches = rows.ready_chunks(BATCH);
        let mut writer = Writer::new(&self.export.request, &self.columns);
        let mut emails = Emails::default();
        let mut out = Vec::with_capacity(CHUNK + CHUNK / 4);
        writer.begin(&mut out);
        loop {
            let batch = tokio::select! {
                () = self.progress.chunks.closed() => return Err(Stop::ReaderGone),
                batch = batches.next() => batch,
            };
            let Some(batch) = batch else { break };
            let batch = batch.into_iter().collect::<Result<Vec<_>, _>>()?;
            if let Some(lookup) = &mut self.lookup {
                look_up(&self.columns, &batch, &mut emails, lookup).await?;
            }
            let is_first = self.progress.rows == 0;
            for row in &batch {
                write_row(&mut writer, &mut out, &self.columns, row, &emails)?;
                self.progress.rows += 1;
                if out.len() >= CHUNK {
                    self.progress.send(&mut out).await?;
                }
            }
            if is_first {
                self.progress.send(&mut out).await?;
            }
        }
        writer.end(&mut out);
        self.progress.send(&mut out).await
    }
}

/// What has been sent.
struct Progress {
    chunks: mpsc::Sender<Message>,
    hash: Sha256,
    rows: i64,
    bytes: i64,
}

impl Progress {
    async fn send(&mut self, out: &mut Vec<u8>) -> Result<(), Stop> {
        if out.is_empty() {
            return Ok(());
        }
        self.hash.update(&*out);
        self.bytes += i64::try_from(out.len()).unwrap_or(i64::MAX);
        let chunk = std::mem::replace(out, Vec::with_capacity(CHUNK + CHUNK / 4));
        let sent = self.chunks.send_timeout(Message::Chunk(chunk.into()), PATIENCE).await;
        sent.map_err(|_| Stop::ReaderGone)
    }
}

async fn look_up(
    columns: &[FileColumn],
    batch: &[RawRow<'_>],
    emails: &mut Emails,
    conn: &mut Connection,
) -> Result<(), Stop> {
    emails.trim();
    for row in batch {
        for column in columns {
            if let Origin::EmailOf(field) = column.origin
                && let Some(user_id) = user_id(row, field)?
            {
                emails.want(user_id);
            }
        }
    }
    if emails.is_missing_any() {
        emails.look_up(conn).await?;
    }
    Ok(())
}

fn write_row(
    writer: &mut Writer,
    out: &mut Vec<u8>,
    columns: &[FileColumn],
    row: &RawRow<'_>,
    emails: &Emails,
) -> anyhow::Result<()> {
    for (index, FileColumn { column, origin }) in columns.iter().enumerate() {
        match *origin {
            Origin::Field(field) => with_cell(row, field, |cell| writer.cell(out, index, column.kind, cell))?,
            Origin::EmailOf(field) => {
                let email = user_id(row, field)?.and_then(|user_id| emails.get(user_id));
                let cell = email.map_or(Cell::Null, |email| Cell::Text(email.as_bytes()));
                writer.cell(out, index, column.kind, cell);
            }
        }
    }
    writer.end_row(out);
    Ok(())
}

fn user_id(row: &RawRow<'_>, field: usize) -> anyhow::Result<Option<i64>> {
    with_cell(row, field, |cell| match cell {
        Cell::Integer(user_id) => Some(user_id),
        Cell::Null
        | Cell::Decimal(_)
        | Cell::Boolean(_)
        | Cell::Text(_)
        | Cell::Moment(_)
        | Cell::Json(_) => None,
    })
}

/// Hands a field's value on; it lives no longer than that.
fn with_cell<T>(row: &RawRow<'_>, field: usize, take: impl FnOnce(Cell<'_>) -> T) -> anyhow::Result<T> {
    let field = row.get(field).context("A row has too few fields")?;
    match field.value() {
        Some(value) => Ok(take(Wire::of(value.get_oid().get())?.read(value.as_bytes())?)),
        None => Ok(take(Cell::Null)),
    }
}
