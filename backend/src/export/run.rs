//! The task behind an export: reads, formats and sends, gives the connections back, waits for the reader to take what is
//! left, and puts the end on record.

use std::time::Instant;

use bytes::Bytes;
use futures_util::StreamExt as _;
use sha2::{Digest as _, Sha256};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tracing::{error, info, warn};

use super::columns::FileColumn;
use super::emails::Emails;
use super::heartbeat;
use super::patience::Patience;
use super::request::ExportRequest;
use super::rows::{look_up, write_row};
use super::spool::{NotTaken, Piece, Sender, Taken};
use super::stream::Export;
use super::writer::Writer;
use crate::app::App;
use crate::db::{Connection, outage};
use crate::error::Result;
use crate::metrics::Exported;
use crate::models::export_audit::{ExportEnd, Outcome};
use crate::source::erased::AnySource;
use crate::source::snapshot::Snapshot;

/// Rows that are formatted in one go; also how many may wait for their e-mail addresses.
const BATCH: usize = 1024;
/// The output is sent in pieces of about this size, in bytes.
const CHUNK: usize = 64 << 10;

/// An export that is about to run.
pub struct Run {
    pub app: App,
    pub export: Export,
    pub source: &'static dyn AnySource,
    pub columns: Vec<FileColumn>,
    /// Where e-mail addresses are looked up, when the file has any.
    pub lookup: Option<Snapshot>,
    pub progress: Progress,
    /// Others may begin when it is given back.
    pub slot: OwnedSemaphorePermit,
    /// The record of it.
    pub audit: i64,
}

/// Why an export did not come to its end.
enum Stop {
    /// The reader went away.
    ReaderGone,
    /// The reader takes next to nothing.
    ReaderTooSlow,
    /// The query was refused before anything was sent; whoever asked has been told.
    NeverBegan,
    /// Something failed.
    Failed(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl From<NotTaken> for Stop {
    fn from(reason: NotTaken) -> Self {
        match reason {
            NotTaken::Gone => Self::ReaderGone,
            NotTaken::TooSlow => Self::ReaderTooSlow,
            NotTaken::Unreadable(error) => {
                Self::Failed(anyhow::Error::new(error).context("What was spooled cannot be read"))
            }
        }
    }
}

impl Run {
    /// Runs from the first row to the record; `ready` learns whether there will be a file.
    pub async fn finish(mut self, mut reading: Snapshot, ready: oneshot::Sender<Result<()>>) {
        let began = Instant::now();
        let under_way = heartbeat::start(&self.app, self.audit);
        let mut result = self.pump(reading.conn(), ready).await;
        let reading = if result.is_err() {
            // ROLLBACK would wait for all rows that are still on their way.
            reading.cancel().await;
            None
        } else {
            Some(reading)
        };
        for snapshot in [reading, self.lookup.take()].into_iter().flatten() {
            if let Err(error) = snapshot.end().await {
                warn!(%error, "An export's connection could not be used again and was closed");
            }
        }
        // Connections and slot are back, and the data is released, while the reader still reads.
        drop(self.slot);
        if result.is_ok() {
            result = self.progress.drained().await;
        }
        drop(under_way);
        let outcome = match &result {
            Ok(()) => Outcome::Complete,
            Err(Stop::ReaderGone | Stop::ReaderTooSlow) => Outcome::Aborted,
            Err(Stop::NeverBegan | Stop::Failed(_)) => Outcome::Failed,
        };
        let Progress { sender, patience: _, hash, unsent_rows: _ } = self.progress;
        let Taken { rows, bytes } = sender.taken();
        let sha256: [u8; 32] = hash.finalize().into();
        let end = ExportEnd {
            rows: i64::try_from(rows).unwrap_or(i64::MAX),
            bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
            sha256: result.is_ok().then_some(&sha256[..]),
            outcome: outcome.key(),
            duration_ms: i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX),
            heartbeat_at: None,
        };
        let exported = Exported { rows, bytes, took: began.elapsed() };
        let ExportRequest { dataset, format, .. } = &self.export.request;
        self.app.metrics.exports().ended(*dataset, *format, outcome, exported);
        let recorded = async { anyhow::Ok(end.save(&mut *self.app.pool.get().await?, self.audit).await?) };
        if let Err(error) = recorded.await
            && let Some(cause) = outage::unexplained(error)
        {
            error!(audit = self.audit, cause, "The end of an export could not be put on record");
        }
        match result {
            Ok(()) => sender.finish(),
            Err(Stop::ReaderTooSlow) => {
                info!(audit = self.audit, "An export was cut off: its reader was too slow");
            }
            Err(Stop::ReaderGone | Stop::NeverBegan) => {}
            Err(Stop::Failed(error)) => {
                if let Some(cause) = outage::unexplained(error) {
                    error!(audit = self.audit, cause, "An export failed");
                }
            }
        }
    }

    async fn pump(&mut self, conn: &mut Connection, ready: oneshot::Sender<Result<()>>) -> Result<(), Stop> {
        let zone = self.app.config.hub.timezone;
        let rows = match self.source.stream(conn, &self.export.grant, zone).await {
            Ok(rows) => rows,
            Err(error) => {
                drop(ready.send(Err(error.into())));
                return Err(Stop::NeverBegan);
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
        let mut is_first = true;
        loop {
            let batch = tokio::select! {
                reason = self.progress.sender.reader_gone() => return Err(reason.into()),
                batch = batches.next() => batch,
            };
            let Some(batch) = batch else { break };
            let batch = batch.into_iter().collect::<Result<Vec<_>, _>>()?;
            if let Some(lookup) = &mut self.lookup {
                look_up(&self.columns, &batch, &mut emails, lookup.conn()).await?;
            }
            for row in &batch {
                write_row(&mut writer, &mut out, &self.columns, row, &emails)?;
                self.progress.unsent_rows += 1;
                if out.len() >= CHUNK {
                    self.progress.send(&mut out).await?;
                }
            }
            // The first rows do not wait until there are enough of them.
            if std::mem::take(&mut is_first) {
                self.progress.send(&mut out).await?;
            }
        }
        writer.end(&mut out);
        self.progress.send(&mut out).await
    }
}

/// What has been sent.
pub struct Progress {
    sender: Sender,
    patience: Patience,
    hash: Sha256,
    /// Rows that have been written and not sent yet.
    unsent_rows: u32,
}

impl Progress {
    /// Nothing yet.
    pub fn new(sender: Sender, patience: Patience) -> Self {
        Self { sender, patience, hash: Sha256::new(), unsent_rows: 0 }
    }

    async fn send(&mut self, out: &mut Vec<u8>) -> Result<(), Stop> {
        if out.is_empty() {
            return Ok(());
        }
        self.hash.update(&*out);
        let bytes = Bytes::from(std::mem::replace(out, Vec::with_capacity(CHUNK + CHUNK / 4)));
        let piece = Piece { bytes, rows: std::mem::take(&mut self.unsent_rows) };
        Ok(self.sender.send(piece, &mut self.patience).await?)
    }

    /// Waits until the reader has taken everything.
    async fn drained(&mut self) -> Result<(), Stop> {
        Ok(self.sender.drained(&mut self.patience).await?)
    }
}
