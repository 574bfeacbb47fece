//! The task of an export. It reads, formats and sends the rows, returns its connections, waits for the reader
//! to take the rest, and records how the export ended.

use std::net::IpAddr;
use std::time::Instant;

use domain::Grant;
use futures_util::StreamExt as _;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tracing::{error, info, warn};

use super::any_source::AnySource;
use super::columns::FileColumn;
use super::heartbeat;
use super::lookups::Lookups;
use super::progress::{CHUNK_BYTES, Progress};
use super::request::ExportRequest;
use super::rows::{look_up, write_row};
use super::spool::{Consumed, SendError};
use super::writer::Writer;
use super::xlsx::CellTooLong;
use crate::app::App;
use crate::db::{Connection, outage};
use crate::error::Result;
use crate::metrics::ExportStats;
use crate::models::export_audit::{ExportEnd, Outcome};
use crate::source::read_transaction::ReadTransaction;

/// The maximum number of rows in a batch. Each batch looks up its e-mail addresses with one query, and names of each kind too.
const BATCH_ROWS: usize = 1024;

/// An authorised export.
#[derive(Debug)]
pub struct Export {
    /// `None` on the command line.
    pub user_id: Option<i64>,
    /// The IP address of the client.
    pub address: Option<IpAddr>,
    pub request: ExportRequest,
    pub grant: Grant,
}

/// An export and everything it needs to run.
pub struct Run {
    pub app: App,
    pub export: Export,
    pub source: &'static dyn AnySource,
    pub columns: Vec<FileColumn>,
    /// Looks up e-mail addresses and names, if the file has such columns.
    pub lookup: Option<ReadTransaction>,
    pub progress: Progress,
    /// Released when the query has ended, so that another export may start.
    pub slot: OwnedSemaphorePermit,
    /// The id of its audit record.
    pub audit: i64,
}

/// Why an export ended early.
enum StopReason {
    /// The reader went away.
    ReaderGone,
    /// The reader is too slow.
    ReaderTooSlow,
    /// The query failed before anything was sent. The error was returned to the caller.
    NotStarted,
    /// Something failed.
    Failed(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for StopReason {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl From<SendError> for StopReason {
    fn from(reason: SendError) -> Self {
        match reason {
            SendError::ReaderGone => Self::ReaderGone,
            SendError::ReaderTooSlow => Self::ReaderTooSlow,
            SendError::SpoolUnreadable(error) => {
                Self::Failed(anyhow::Error::new(error).context("Failed to read spooled data"))
            }
        }
    }
}

impl Run {
    /// Runs the export and records how it ended. `ready` receives the result of starting the query.
    pub async fn finish(mut self, mut reading: ReadTransaction, ready: oneshot::Sender<Result<()>>) {
        let started = Instant::now();
        let heartbeat = heartbeat::start(&self.app, self.audit);
        let mut result = self.stream_rows(reading.conn(), ready).await;
        let reading = if result.is_err() {
            // ROLLBACK would wait until all remaining rows have been received.
            reading.cancel().await;
            None
        } else {
            Some(reading)
        };
        for transaction in [reading, self.lookup.take()].into_iter().flatten() {
            if let Err(error) = transaction.end().await {
                warn!(%error, "Failed to end an export's transaction; its connection was closed");
            }
        }
        // The connections, the slot and the database snapshot are released while the reader is still reading.
        drop(self.slot);
        if result.is_ok() {
            result = self.progress.drain().await.map_err(StopReason::from);
        }
        drop(heartbeat);
        let outcome = match &result {
            Ok(()) => Outcome::Complete,
            Err(StopReason::ReaderGone | StopReason::ReaderTooSlow) => Outcome::Aborted,
            Err(StopReason::NotStarted | StopReason::Failed(_)) => Outcome::Failed,
        };
        let message = match &result {
            Err(StopReason::Failed(error)) => error.downcast_ref::<CellTooLong>().map(CellTooLong::phrase),
            Ok(()) | Err(_) => None,
        };
        let (sender, sha256) = self.progress.into_parts();
        let Consumed { rows, bytes } = sender.consumed();
        let end = ExportEnd {
            rows: i64::try_from(rows).unwrap_or(i64::MAX),
            bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
            sha256: result.is_ok().then_some(&sha256[..]),
            outcome: outcome.key(),
            duration_ms: i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX),
            message: message.as_ref().map(|message| message.in_locale(self.export.request.locale)),
            heartbeat_at: None,
        };
        let exported = ExportStats { rows, bytes, took: started.elapsed() };
        let ExportRequest { dataset, format, .. } = &self.export.request;
        self.app.metrics.exports().ended(*dataset, *format, outcome, exported);
        let recorded = async { anyhow::Ok(end.save(&mut *self.app.pool.get().await?, self.audit).await?) };
        if let Err(error) = recorded.await
            && let Some(cause) = outage::loggable_cause(error)
        {
            error!(audit = self.audit, cause, "Failed to record the end of an export");
        }
        match result {
            Ok(()) => sender.finish(),
            Err(StopReason::ReaderTooSlow) => {
                info!(audit = self.audit, "Aborted an export because its reader was too slow");
            }
            Err(StopReason::ReaderGone | StopReason::NotStarted) => {}
            Err(StopReason::Failed(error)) => {
                if let Some(cause) = outage::loggable_cause(error) {
                    error!(audit = self.audit, cause, "An export failed");
                }
            }
        }
    }

    async fn stream_rows(
        &mut self,
        conn: &mut Connection,
        ready: oneshot::Sender<Result<()>>,
    ) -> Result<(), StopReason> {
        let zone = self.app.config.hub.timezone;
        let rows = match self.source.stream(conn, &self.export.grant, zone).await {
            Ok(rows) => rows,
            Err(error) => {
                drop(ready.send(Err(error.into())));
                return Err(StopReason::NotStarted);
            }
        };
        if ready.send(Ok(())).is_err() {
            return Err(StopReason::ReaderGone);
        }
        let mut batches = rows.ready_chunks(BATCH_ROWS);
        let mut writer = Writer::new(&self.export.request, &self.columns)?;
        let mut lookups = Lookups::new(self.export.request.locale);
        let mut out = Vec::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 4);
        writer.begin(&mut out)?;
        let (mut is_first, mut waiting_rows) = (true, 0);
        loop {
            let batch = tokio::select! {
                reason = self.progress.reader_gone() => return Err(reason.into()),
                batch = batches.next() => batch,
            };
            let Some(batch) = batch else { break };
            let batch = batch.into_iter().collect::<Result<Vec<_>, _>>()?;
            if let Some(lookup) = &mut self.lookup {
                look_up(&self.columns, &batch, &mut lookups, lookup.conn()).await?;
            }
            for row in &batch {
                write_row(&mut writer, &mut out, &self.columns, row, &lookups)?;
                waiting_rows += 1;
                if writer.is_group_full() {
                    writer.write_group(&mut out).await?;
                } else if writer.collects_groups() {
                    continue;
                }
                self.progress.rows_written(std::mem::take(&mut waiting_rows));
                if out.len() >= CHUNK_BYTES {
                    self.progress.send(&mut out).await?;
                }
            }
            // The first rows are sent immediately, without waiting for a full chunk.
            if std::mem::take(&mut is_first) {
                self.progress.send(&mut out).await?;
            }
        }
        writer.end(&mut out).await?;
        self.progress.rows_written(waiting_rows);
        Ok(self.progress.send(&mut out).await?)
    }
}
