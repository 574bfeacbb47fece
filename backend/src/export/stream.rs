//! Starts an export: acquires a slot, creates the audit record, begins a read transaction and spawns the task
//! that streams the rows through a [`spool`].

use std::time::Duration;

use bytes::Bytes;
use domain::format::Names;
use futures_util::{Stream, StreamExt as _, stream};
use serde_json::Value;
use tokio::io::{self, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::task::JoinHandle;

use super::any_source;
use super::columns::{Origin, resolve_columns};
use super::person::PERSON;
use super::progress::Progress;
use super::request::ExportRequest;
use super::run::{Export, Run};
use super::slow_reader::ReaderTimeout;
use super::spool::{self, Interrupted, Receiver};
use crate::app::App;
use crate::error::{Error, Result};
use crate::models::export_audit::NewExportAudit;
use crate::source::read_transaction::ReadTransaction;

/// An export whose task is running.
pub struct RunningExport {
    receiver: Receiver,
    run: JoinHandle<()>,
}

/// Why a file was not written completely.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The export ended before the file was complete.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// Writing to the output failed.
    #[error("failed to write the file")]
    Output(#[from] io::Error),
}

/// How long an export waits for another one to release its slot.
const SLOT_TIMEOUT: Duration = Duration::from_secs(10);

impl RunningExport {
    /// The content of the file. If the file is not completed, the stream ends with an error.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, Interrupted>> + Send {
        stream::unfold(Some(self.receiver), |receiver| async {
            let mut receiver = receiver?;
            match receiver.next().await {
                Ok(Some(bytes)) => Some((Ok(bytes), Some(receiver))),
                Ok(None) => None,
                Err(broken) => Some((Err(broken), None)),
            }
        })
        // The compression layer polls once more after the end.
        .fuse()
    }

    /// The next part of the file; `None` after the last one.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Interrupted> {
        self.receiver.next().await
    }

    /// Writes the content of the file. Returns after the audit record has been written, or failed to be.
    pub async fn write_to(mut self, out: &mut (impl AsyncWrite + Unpin)) -> Result<(), WriteError> {
        let written = copy(&mut self.receiver, out).await;
        self.ended().await;
        written
    }

    /// Stops reading, and waits until the audit record has been written, or failed to be.
    pub(super) async fn ended(self) {
        drop(self.receiver);
        // If the task panicked, reading has already failed.
        drop(self.run.await);
    }
}

async fn free_slot(app: &App) -> Result<OwnedSemaphorePermit> {
    app.export_slots.clone().acquire_owned().await.map_err(|closed| Error::Internal(closed.into()))
}

async fn copy(receiver: &mut Receiver, out: &mut (impl AsyncWrite + Unpin)) -> Result<(), WriteError> {
    while let Some(bytes) = receiver.next().await? {
        out.write_all(&bytes).await?;
    }
    Ok(out.flush().await?)
}

impl Export {
    /// Starts the export. Errors after it has started interrupt the stream.
    pub async fn start(self, app: &App) -> Result<RunningExport> {
        let slot = tokio::time::timeout(SLOT_TIMEOUT, free_slot(app)).await;
        let slot = slot.map_err(|_| Error::Busy { retry_after: SLOT_TIMEOUT })??;
        self.start_in(app, slot).await
    }

    /// Starts the export when a slot is free, however long that takes.
    pub(super) async fn start_when_possible(self, app: &App) -> Result<RunningExport> {
        let slot = free_slot(app).await?;
        self.start_in(app, slot).await
    }

    async fn start_in(self, app: &App, slot: OwnedSemaphorePermit) -> Result<RunningExport> {
        let source = any_source::of(self.request.dataset);
        let columns = resolve_columns(source, &self.request.chosen_columns())?;
        let audit = self.record_start(app).await?;
        let mut reading = ReadTransaction::begin(app.pool.get().await?).await?;
        let lookup = if columns.iter().any(|column| matches!(column.origin, Origin::LookedUp(..))) {
            let snapshot_id = reading.export_snapshot().await?;
            Some(ReadTransaction::begin_with_snapshot(app.pool.get().await?, &snapshot_id).await?)
        } else {
            None
        };
        let (sender, receiver) = spool::open(&app.export_disk);
        let (ready, is_ready) = oneshot::channel();
        let progress = Progress::new(sender, ReaderTimeout::new(app.config.exports.reader_timeout));
        let run = Run { app: app.clone(), export: self, source, columns, lookup, progress, slot, audit };
        let run = tokio::spawn(run.finish(reading, ready));
        match is_ready.await {
            Ok(Ok(())) => Ok(RunningExport { receiver, run }),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(Error::Internal(anyhow::anyhow!("The export task ended before it started"))),
        }
    }

    async fn record_start(&self, app: &App) -> Result<i64> {
        let ExportRequest { dataset, format, filter, columns, names, .. } = &self.request;
        let filters = filter.pairs().into_iter().map(|(key, value)| (key.key(), value));
        let person = self.grant.person().map(|id| (PERSON, id.to_string()));
        let filters = filters.chain(person).map(|(key, value)| (key.to_owned(), Value::from(value)));
        let is_chosen = !columns.is_empty() || *names == Names::With;
        let chosen = self.request.chosen_columns().into_iter().map(|column| column.key);
        let now = app.clock.now();
        let audit = NewExportAudit {
            user_id: self.user_id,
            dataset: dataset.key(),
            format: format.key(),
            filters: Value::Object(filters.collect()),
            column_keys: is_chosen.then(|| chosen.collect()),
            address: self.address.map(Into::into),
            started_at: now,
            heartbeat_at: now,
        };
        Ok(audit.insert(&mut *app.pool.get().await?).await?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::config::Config;
    use crate::export::spool::{Chunk, Sender, SpoolDisk};

    fn started(task: impl FnOnce(Sender) + Send + 'static) -> RunningExport {
        let disk = Arc::new(SpoolDisk::new(&Config::defaults().exports));
        let mut reader_timeout = ReaderTimeout::new(Duration::from_mins(1));
        let (mut sender, receiver) = spool::open(&disk);
        let run = tokio::spawn(async move {
            let chunk = Chunk { bytes: "half a file".into(), rows: 1 };
            sender.send(chunk, &mut reader_timeout).await.ok();
            task(sender);
        });
        RunningExport { receiver, run }
    }

    #[tokio::test]
    async fn an_export_whose_task_panics_ends_with_an_error() {
        let chunks: Vec<_> = started(|_| panic!("as a task may")).into_stream().collect().await;
        assert!(matches!(&chunks[..], [Ok(_), Err(Interrupted)]));
        let written = started(|_| panic!("as a task may")).write_to(&mut Vec::new()).await;
        assert!(matches!(written, Err(WriteError::Interrupted(Interrupted))));
    }

    #[tokio::test]
    async fn a_finished_export_is_complete() {
        let chunks: Vec<_> = started(Sender::finish).into_stream().collect().await;
        assert!(matches!(&chunks[..], [Ok(_)]));
        let mut written = Vec::new();
        started(Sender::finish).write_to(&mut written).await.unwrap();
        assert_eq!(written, b"half a file");
    }
}
