//! The settings of the log.

use tracing_subscriber::EnvFilter;

use super::kind::{self, Kind};
use super::reader::Reader;

/// The settings of the log.
#[derive(Debug)]
pub struct Logging {
    pub format: LogFormat,
    /// The log levels.
    pub filter: String,
}

/// The format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Human-readable lines.
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
                "The format of the log: human-readable lines, or one JSON object per line.",
            ),
            filter: reader.setting(
                "RUST_LOG",
                "info",
                Kind::new("log levels such as info or backend=debug,info", |text| {
                    EnvFilter::try_new(text).is_ok().then(|| text.to_owned())
                }),
                "The log levels.",
            ),
        }
    }
}
