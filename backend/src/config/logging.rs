//! The log.

use tracing_subscriber::EnvFilter;

use super::kind::{self, Kind};
use super::reader::Reader;

/// How and what is logged.
#[derive(Debug)]
pub struct Logging {
    /// Lines for people, or one JSON object per line.
    pub format: LogFormat,
    /// Which messages are logged.
    pub filter: String,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object per line.
    Json,
}

impl Logging {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            format: reader.setting(
                "LOG_FORMAT",
                "text",
                kind::one_of(&[("text", LogFormat::Text), ("json", LogFormat::Json)]),
                "Whether the log is lines for people or one JSON object per line.",
            ),
            filter: reader.setting(
                "RUST_LOG",
                "info",
                Kind::new("log levels such as info or backend=debug,info", |text| {
                    EnvFilter::try_new(text).is_ok().then(|| text.to_owned())
                }),
                "Which messages are logged.",
            ),
        }
    }
}
