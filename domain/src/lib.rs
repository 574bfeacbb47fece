//! The rules and facts of `DataPorter` Hub without any I/O: datasets, roles, filters, formats and texts.
//!
//! Server and browser share this crate and so apply the same rules. It knows nothing of databases or HTTP.

pub mod access;
pub mod dataset;
pub mod failure;
pub mod filter;
pub mod format;
pub mod import;
pub mod names;
pub mod practice;
pub mod sync;
pub mod text;
mod unknown_name;
pub mod validation;

pub use access::{Credential, Grant, Role, Viewer};
pub use dataset::Dataset;
pub use filter::Filter;
pub use format::ExportFormat;
pub use sync::Driver;
pub use text::{Locale, Text};
pub use unknown_name::UnknownName;
