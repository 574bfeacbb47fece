//! Writes the files into the archive one after the other, as their exports progress.

use std::io::Write as _;

use anyhow::Context as _;
use bytes::Bytes;
use chrono::DateTime;
use chrono_tz::Tz;
use futures_util::{Stream, stream};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tracing::error;
use zip::write::SimpleFileOptions;

use super::PersonExport;
use crate::app::App;
use crate::db::outage;
use crate::error::{Error, Result};
use crate::export::run::Export;
use crate::export::shared_buffer::SharedBuffer;
use crate::export::spool::Interrupted;
use crate::export::stream::{RunningExport, WriteError};
use crate::export::zip_stream::{ZipStream, file_options};
use crate::models::personal_record::personal_record;

/// The file with what belongs to no dataset.
const RECORD: &str = "person.json";

/// The archive while it is written.
pub struct Archive {
    app: App,
    /// `None` once it is complete.
    zip: Option<Box<ZipStream>>,
    written: SharedBuffer,
    options: SimpleFileOptions,
    /// The export whose file is being written.
    current: RunningExport,
    next: Box<dyn Iterator<Item = Export> + Send>,
}

impl Archive {
    /// Writes the file that belongs to no dataset, and starts the first export.
    pub(super) async fn start(app: &App, export: PersonExport) -> Result<Self> {
        let record = {
            let mut conn = app.pool.get().await?;
            let person = export.request.find_person(&mut conn).await?;
            personal_record(&mut conn, person.id).await?
        };
        let written = SharedBuffer::default();
        let options = options(app.clock.now().with_timezone(&export.request.timezone()));
        let mut zip = Box::new(ZipStream::new_stream(written.clone()));
        zip.start_file(RECORD, options).context("Failed to begin a file")?;
        serde_json::to_writer_pretty(&mut zip, &record).context("Failed to write JSON")?;
        let mut files = export.files();
        let first = files.next().context("There is no dataset")?;
        begin_dataset(&mut zip, options, &first)?;
        let current = first.start(app).await?;
        Ok(Self { app: app.clone(), zip: Some(zip), written, options, current, next: Box::new(files) })
    }

    /// The content of the archive. If it is not completed, the stream ends with an error.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, Interrupted>> + Send {
        stream::try_unfold(self, |mut archive| async {
            Ok(archive.next().await?.map(|bytes| (bytes, archive)))
        })
    }

    /// Writes the content of the archive. Returns after the audit records have been written, or failed to be.
    pub async fn write_to(mut self, out: &mut (impl AsyncWrite + Unpin)) -> Result<(), WriteError> {
        let written = self.copy_to(out).await;
        self.current.ended().await;
        written
    }

    async fn copy_to(&mut self, out: &mut (impl AsyncWrite + Unpin)) -> Result<(), WriteError> {
        while let Some(bytes) = self.next().await? {
            out.write_all(&bytes).await?;
        }
        Ok(out.flush().await?)
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Interrupted> {
        let mut out = Vec::new();
        while out.is_empty() {
            if self.zip.is_none() {
                return Ok(None);
            }
            let content = self.current.next().await?;
            let written = match content {
                Some(content) => self.write(&content).map_err(Error::Internal),
                None => self.next_file().await,
            };
            if let Err(error) = written {
                // Others are no faults of the hub.
                if let Error::Internal(cause) = error
                    && let Some(cause) = outage::loggable_cause(cause)
                {
                    error!(cause, "The export of a person's data failed");
                }
                return Err(Interrupted);
            }
            self.written.drain_into(&mut out);
        }
        Ok(Some(out.into()))
    }

    fn write(&mut self, content: &[u8]) -> anyhow::Result<()> {
        let zip = self.zip.as_mut().context("The archive is complete")?;
        Ok(zip.write_all(content)?)
    }

    /// Starts the next file, or ends the archive after the last one.
    async fn next_file(&mut self) -> Result<()> {
        let mut zip = self.zip.take().context("The archive is complete")?;
        let Some(export) = self.next.next() else {
            zip.finish().context("Failed to end the archive")?;
            return Ok(());
        };
        begin_dataset(&mut zip, self.options, &export)?;
        self.current = export.start_when_possible(&self.app).await?;
        self.zip = Some(zip);
        Ok(())
    }
}

fn begin_dataset(zip: &mut ZipStream, options: SimpleFileOptions, export: &Export) -> anyhow::Result<()> {
    let request = &export.request;
    Ok(zip.start_file(format!("{}.{}", request.dataset.key(), request.format.key()), options)?)
}

/// The options of files that are written at this time.
fn options(now: DateTime<Tz>) -> SimpleFileOptions {
    match zip::DateTime::try_from(now.naive_local()) {
        Ok(time) => file_options().last_modified_time(time),
        // Archives have no times before 1980.
        Err(_) => file_options(),
    }
}
