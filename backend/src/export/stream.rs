//! Starts an export: a slot, a record, one snapshot, and a task that streams it through a [`spool`].

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use domain::Grant;
use futures_util::{Stream, StreamExt as _, stream};
use serde_json::Value;
use tokio::io::{self, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::columns::{Origin, locate};
use super::patience::Patience;
use super::request::ExportRequest;
use super::run::{Progress, Run};
use super::spool::{self, Broken, Receiver};
use crate::app::App;
use crate::error::{Error, Result};
use crate::models::export_audit::NewExportAudit;
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
    receiver: Receiver,
    run: JoinHandle<()>,
}

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
        stream::unfold(Some(self.receiver), |receiver| async {
            let mut receiver = receiver?;
            match receiver.next().await {
                Ok(Some(bytes)) => Some((Ok(bytes), Some(receiver))),
                Ok(None) => None,
                Err(broken) => Some((Err(broken), None)),
            }
        })
        // Compression asks once more after the end.
        .fuse()
    }

    /// Writes the content, and ends when the export is on record, however that went.
    pub async fn write_to(mut self, out: &mut (impl AsyncWrite + Unpin)) -> Result<(), NotWritten> {
        let written = copy(&mut self.receiver, out).await;
        drop(self.receiver);
        // A task that panicked has broken the content off, which was told above.
        drop(self.run.await);
        written
    }
}

async fn copy(receiver: &mut Receiver, out: &mut (impl AsyncWrite + Unpin)) -> Result<(), NotWritten> {
    while let Some(bytes) = receiver.next().await? {
        out.write_all(&bytes).await?;
    }
    Ok(out.flush().await?)
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
        let lookup = if columns.iter().any(|column| matches!(column.origin, Origin::EmailOf(_))) {
            let name = reading.share().await?;
            Some(Snapshot::join(app.pool.get().await?, &name).await?)
        } else {
            None
        };
        let (sender, receiver) = spool::open(&app.export_disk);
        let (ready, is_ready) = oneshot::channel();
        let progress = Progress::new(sender, Patience::new(app.config.exports.reader_timeout));
        let run = Run { app: app.clone(), export: self, source, columns, lookup, progress, slot, audit };
        let run = tokio::spawn(run.finish(reading, ready));
        match is_ready.await {
            Ok(Ok(())) => Ok(Started { receiver, run }),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(Error::Internal(anyhow::anyhow!("The export ended before it began"))),
        }
    }

    async fn put_on_record(&self, app: &App) -> Result<i64> {
        let ExportRequest { dataset, format, filter, columns, .. } = &self.request;
        let filters =
            filter.pairs().into_iter().map(|(key, value)| (key.key().to_owned(), Value::from(value)));
        let now = app.clock.now();
        let audit = NewExportAudit {
            user_id: self.user_id,
            dataset: dataset.key(),
            format: format.key(),
            filters: Value::Object(filters.collect()),
            column_keys: (!columns.is_empty()).then(|| columns.clone()),
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
    use crate::export::spool::{Piece, Sender, SpoolDisk};

    fn started(task: impl FnOnce(Sender) + Send + 'static) -> Started {
        let disk = Arc::new(SpoolDisk::new(&Config::of_defaults().exports));
        let mut patience = Patience::new(Duration::from_mins(1));
        let (mut sender, receiver) = spool::open(&disk);
        let run = tokio::spawn(async move {
            let piece = Piece { bytes: "half a file".into(), rows: 1 };
            sender.send(piece, &mut patience).await.ok();
            task(sender);
        });
        Started { receiver, run }
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
        let pieces: Vec<_> = started(Sender::finish).into_stream().collect().await;
        assert!(matches!(&pieces[..], [Ok(_)]));
        let mut written = Vec::new();
        started(Sender::finish).write_to(&mut written).await.unwrap();
        assert_eq!(written, b"half a file");
    }
}
