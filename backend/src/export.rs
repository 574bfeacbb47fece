//! Exports: a dataset as a file, streamed from PostgreSQL's rows into the output without a value in between.
//!
//! [`request`] reads what somebody wants, [`link`] signs it and proves it, [`stream`] starts it, and the task in `run`
//! carries it out: `rows` go through `cell`, which turns binary fields into text, `csv` and `json` lay the text
//! out, `emails` looks addresses up on the way, and [`spool`] keeps for the reader what it has not taken yet. Every run
//! leaves a row in `export_audits`.

mod cell;
mod columns;
mod composed;
mod csv;
mod emails;
mod heartbeat;
mod json;
pub mod link;
mod moment;
mod patience;
pub mod request;
mod rows;
mod run;
pub mod spool;
pub mod stream;
mod writer;

pub use request::ExportRequest;
pub use stream::{Export, NotWritten, Started};
