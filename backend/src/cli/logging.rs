//! Logging to standard error. Standard output is reserved for the output of commands.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

use crate::config::logging::{LogFormat, Logging};

/// Starts logging as configured.
pub(super) fn start(settings: &Logging) {
    let log = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(&settings.filter))
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    match settings.format {
        LogFormat::Text => log.with_target(false).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}
