//! Names in the database that mean nothing to us.

/// A column holds a name that this version does not know.
#[derive(Debug, thiserror::Error)]
#[error("“{0}” is unknown")]
pub struct UnknownName(pub String);
