//! ZIP archives that are written as a stream: workbooks, and the data of a person.

use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

use super::shared_buffer::SharedBuffer;

/// Writes an archive.
pub type ZipStream = ZipWriter<StreamWriter<SharedBuffer>>;

/// The options of its files. They are compressed while they are generated, so the fastest level gives the best throughput.
pub fn file_options() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).compression_level(Some(1))
}
