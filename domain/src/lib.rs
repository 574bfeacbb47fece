//! What `DataPorter` Hub knows without any I/O: the seven datasets, who may read them, filters, formats and texts.
//!
//! Server and browser share this crate, so that both apply the same rules; it knows nothing of databases or HTTP.

pub mod access;
pub mod dataset;
pub mod failure;
pub mod filter;
pub mod format;
pub mod text;

pub use access::{Credential, Grant, Role, Viewer};
pub use dataset::Dataset;
pub use filter::Filter;
pub use format::ExportFormat;
pub use text::{Locale, Text};
