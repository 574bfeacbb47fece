//! Metrics for operators, in the format that Prometheus reads.
//!
//! Counters and histograms belong to this process and start at zero with it. Values common to all processes
//! are read from the database at each scrape ([`gauges`]). No label value comes from a user or a client: each
//! label has a few values that are defined in the code.

mod exports;
pub mod gauges;
mod imports;
mod ingest;
mod mail;
mod practices;
mod requests;
mod sync;

use std::sync::Arc;

use prometheus_client::encoding::text;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

pub use exports::{ExportStats, Exports};
use gauges::Gauges;
pub use imports::{ImportKind, Imports};
pub use ingest::Ingest;
pub use mail::Mail;
pub use practices::Practices;
pub use requests::Requests;
pub use sync::{BreakerState, Sync};

/// The format of [`Metrics::exposition`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The prefix of every metric name.
const PREFIX: &str = "dataporter";

/// Label names and their values.
type Labels<const N: usize> = [(&'static str, &'static str); N];

/// All metrics of this process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    topics: Arc<Topics>,
}

/// One field per topic. Metrics on the path of every request are handles that were looked up once.
#[derive(Debug)]
struct Topics {
    requests: Requests,
    ingest: Ingest,
    sync: Sync,
    exports: Exports,
    imports: Imports,
    mail: Mail,
    practices: Practices,
    registry: Registry,
}

impl Metrics {
    /// Registers all metrics, with every counter at zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The version of the hub", version);
        let topics = Topics {
            requests: Requests::new(&mut registry),
            ingest: Ingest::new(&mut registry),
            sync: Sync::new(&mut registry),
            exports: Exports::new(&mut registry),
            imports: Imports::new(&mut registry),
            mail: Mail::new(&mut registry),
            practices: Practices::new(&mut registry),
            registry,
        };
        Self { topics: Arc::new(topics) }
    }

    /// HTTP requests.
    pub fn requests(&self) -> &Requests {
        &self.topics.requests
    }

    /// Ingest of player events.
    pub fn ingest(&self) -> &Ingest {
        &self.topics.ingest
    }

    /// Delivery of player events.
    pub fn sync(&self) -> &Sync {
        &self.topics.sync
    }

    /// Exports.
    pub fn exports(&self) -> &Exports {
        &self.topics.exports
    }

    /// Imports.
    pub fn imports(&self) -> &Imports {
        &self.topics.imports
    }

    /// Outgoing mail.
    pub fn mail(&self) -> &Mail {
        &self.topics.mail
    }

    /// Practices.
    pub fn practices(&self) -> &Practices {
        &self.topics.practices
    }

    /// All metrics and gauges, in the format of [`CONTENT_TYPE`].
    pub fn exposition(&self, gauges: &Gauges) -> String {
        let mut exposition = String::new();
        let written = text::encode_registry(&mut exposition, &self.topics.registry)
            .and_then(|()| text::encode(&mut exposition, &gauges.registry()));
        written.expect("writing to a String never fails");
        exposition
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// A histogram of the duration of a part of a request, from a millisecond to ten seconds.
fn request_histogram() -> Histogram {
    Histogram::new([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
}

/// A histogram of the duration of work on a whole file, from a tenth of a second to an hour.
fn file_histogram() -> Histogram {
    Histogram::new([0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0])
}
