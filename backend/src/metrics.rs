//! Figures for those who keep the hub running, in the format that Prometheus reads.
//!
//! Counters and histograms are of this process and begin anew with it. What must be right whatever process did it is in
//! the database, and is looked up when somebody asks ([`gauges`]). No label holds what a person or a sender chose:
//! each has a few values, which the code knows.

mod exports;
pub mod gauges;
mod imports;
mod ingest;
mod mail;
mod requests;
mod sync;

use std::sync::Arc;

use prometheus_client::encoding::text;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

pub use exports::{Exported, Exports};
use gauges::Gauges;
pub use imports::{Imports, Run};
pub use ingest::Ingest;
pub use mail::Mail;
pub use requests::Requests;
pub use sync::{BreakerState, Sync};

/// What [`Metrics::exposition`] is written in.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// How every name begins.
const PREFIX: &str = "dataporter";

/// Names of labels and their values.
type Labels<const N: usize> = [(&'static str, &'static str); N];

/// All that is counted in this process; cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    topics: Arc<Topics>,
}

/// A topic each. What is counted on the way of every request is a handle that was looked up here, once.
#[derive(Debug)]
struct Topics {
    requests: Requests,
    ingest: Ingest,
    sync: Sync,
    exports: Exports,
    imports: Imports,
    mail: Mail,
    registry: Registry,
}

impl Metrics {
    /// Nothing was counted yet.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "Which version of the hub this is", version);
        let topics = Topics {
            requests: Requests::new(&mut registry),
            ingest: Ingest::new(&mut registry),
            sync: Sync::new(&mut registry),
            exports: Exports::new(&mut registry),
            imports: Imports::new(&mut registry),
            mail: Mail::new(&mut registry),
            registry,
        };
        Self { topics: Arc::new(topics) }
    }

    /// HTTP requests.
    pub fn requests(&self) -> &Requests {
        &self.topics.requests
    }

    /// Player events coming in.
    pub fn ingest(&self) -> &Ingest {
        &self.topics.ingest
    }

    /// Player events going out.
    pub fn sync(&self) -> &Sync {
        &self.topics.sync
    }

    /// Files going out.
    pub fn exports(&self) -> &Exports {
        &self.topics.exports
    }

    /// Files coming in.
    pub fn imports(&self) -> &Imports {
        &self.topics.imports
    }

    /// Mails going out.
    pub fn mail(&self) -> &Mail {
        &self.topics.mail
    }

    /// Everything that was counted, and how things stand, as a text of [`CONTENT_TYPE`].
    pub fn exposition(&self, gauges: &Gauges) -> String {
        let mut exposition = String::new();
        let written = text::encode_registry(&mut exposition, &self.topics.registry)
            .and_then(|()| text::encode(&mut exposition, &gauges.registry()));
        written.expect("a string takes whatever is written");
        exposition
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// A histogram of how long a part of a request takes, from a millisecond to ten seconds.
fn of_a_request() -> Histogram {
    Histogram::new([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
}

/// A histogram of how long work on a whole file takes, from a tenth of a second to an hour.
fn of_a_file() -> Histogram {
    Histogram::new([0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0])
}
