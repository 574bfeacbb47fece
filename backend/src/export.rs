//! Exports: streams a dataset as a file, from PostgreSQL's rows to the output without a value in between.
//!
//! [`request`] parses the request, and [`saved`] keeps it for its owner. [`link`] signs and verifies download links.
//! [`stream`] starts the export, and the task in `run` carries it out: `rows` reads each row, `cell` decodes its binary
//! fields, and `csv`, `json`, `xlsx` and `parquet` format them. `lookups` finds e-mail addresses and names by id, and
//! [`spool`] buffers what the reader has not taken yet. [`person`] exports all datasets of one person. Every run is recorded
//! in `export_audits`.

pub mod any_source;
mod cell;
mod columns;
mod csv;
mod heartbeat;
mod json;
mod json_columns;
pub mod json_request;
pub mod link;
mod lookups;
mod parquet;
pub mod person;
mod progress;
pub mod request;
mod rows;
mod run;
pub mod saved;
mod shared_buffer;
mod slow_reader;
pub mod spool;
pub mod stream;
mod timestamp;
mod writer;
#[cfg(test)]
pub mod writing;
mod xlsx;
mod zip_stream;
mod zone_offsets;

pub use request::ExportRequest;
pub use run::Export;
pub use stream::{RunningExport, WriteError};
