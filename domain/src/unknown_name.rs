//! The error of reading a stored name.

/// No variant of the enumeration has this name.
#[derive(Debug, thiserror::Error)]
#[error("unknown name “{0}”")]
pub struct UnknownName(pub String);
