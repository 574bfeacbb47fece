//! Starts an export: a slot, a record, one snapshot, and a task that streams it through a bounded buffer.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use domain::Grant;
use futures_util::{Stream, StreamExt as _, stream};
use serde_json::Value;
use tokio::io::{self, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::columns::{Origin, locate};
use super::request::ExportRequest;
use super::run::{Message, Progress, Run, WAITING_CHUNKS};
use crate::app::App;
use crate::error::{Error, Result};
use crate::models::export_audit::{ExportAudit, NewExportAudit};
use crate::source::erased;
use crate::source::snapshot::Snapshot;

/// A file on its way to somebody who may have it.
#[derive(Debug)]
pub struct Export {
    /// Who takes it; nobody on the command line.
    pub user_id: Option<i64>,
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
    run: JoinHandle<()>,
}

/// The transfer broke off; what was sent is not the whole file.
#[derive(Debug, thiserror::Error)]
#[error("the export broke off")]
pub struct Broken;

/// Why a file was not written.
#[derive(Debug, thiserror::Error)]
pub enum NotWritten {
    /// What was written is not the whole file.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// It could not be written to where it should go.
    #[error("the file cannot be written")]
    Output(#[from] io::Error),
}

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
        // Compression asks once more after the end.
        .fuse()
    }

    /// Writes the content, and ends when the export is on record, however that went.
    pub async fn write_to(mut self, out: &mut (impl AsyncWrite + Unpin)) -> Result<(), NotWritten> {
        let written = copy(&mut self.messages, out).await;
        drop(self.messages);
        // A task that panicked has broken the content off, which was told above.
        drop(self.run.await);
        written
    }
}

async fn copy(
    messages: &mut mpsc::Receiver<Message>,
    out: &mut (impl AsyncWrite + Unpin),
) -> Result<(), NotWritten> {
    loop {
        match messages.recv().await {
            Some(Message::Chunk(bytes)) => out.write_all(&bytes).await?,
            Some(Message::End) => return Ok(out.flush().await?),
            None => return Err(Broken.into()),
        }
    }
}

impl Export {
    /// Starts the export; errors from here on break the stream.
    pub async fn start(self, app: &App) -> Result<Started> {
        let slots = app.export_slots.clone().acquire_owned();
        let Ok(Ok(slot)) = tokio::time::timeout(QUEUE, slots).await else {
            return Err(Error::Busy { retry_after: QUEUE });
        };
        let source = erased::of(self.request.dataset);
        let columns = locate(source, &self.request.chosen_columns())?;
        let audit = self.put_on_record(app).await?;
        let mut reading = Snapshot::begin(app.pool.get().await?).await?;
        ExportAudit::hold(reading.conn(), audit).await?;
        let lookup = if columns.iter().any(|column| matches!(column.origin, Origin::EmailOf(_))) {
            let name = reading.share().await?;
            Some(Snapshot::join(app.pool.get().await?, &name).await?)
        } else {
            None
        };
        let (chunks, messages) = mpsc::channel(WAITING_CHUNKS);
        let (ready, is_ready) = oneshot::channel();
        let progress = Progress::new(chunks);
        let run = Run { app: app.clone(), export: self, source, columns, lookup, progress, slot, audit };
        let run = tokio::spawn(run.finish(reading, ready));
        match is_ready.await {
            Ok(Ok(())) => Ok(Started { messages, run }),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn started(task: impl FnOnce(&mpsc::Sender<Message>) + Send + 'static) -> Started {
        let (chunks, messages) = mpsc::channel(WAITING_CHUNKS);
        let run = tokio::spawn(async move {
            chunks.send(Message::Chunk("half a file".into())).await.ok();
            task(&chunks);
        });
        Started { messages, run }
    }

    #[tokio::test]
    async fn an_export_whose_task_panics_ends_in_an_error() {
        let pieces: Vec<_> = started(|_| panic!("as a task may")).into_stream().collect().await;
        assert!(matches!(&pieces[..], [Ok(_), Err(Broken)]));
        let written = started(|_| panic!("as a task may")).write_to(&mut Vec::new()).await;
        assert!(matches!(written, Err(NotWritten::Broken(Broken))));
    }

    #[tokio::test]
    async fn an_export_that_says_so_is_whole() {
        let end = |chunks: &mpsc::Sender<Message>| chunks.try_send(Message::End).unwrap_or_default();
        let pieces: Vec<_> = started(end).into_stream().collect().await;
        assert!(matches!(&pieces[..], [Ok(_)]));
        let mut written = Vec::new();
        started(end).write_to(&mut written).await.unwrap();
        assert_eq!(written, b"half a file");
    }
}
