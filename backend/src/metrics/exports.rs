//! Exports: how many ended, and what they sent.

use std::time::Duration;

use domain::{Dataset, ExportFormat};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::{Labels, file_histogram};
use crate::models::export_audit::Outcome;

/// Metrics of exports.
#[derive(Debug)]
pub struct Exports {
    ended: Family<Labels<3>, Counter>,
    rows: Family<Labels<2>, Counter>,
    bytes: Family<Labels<2>, Counter>,
    seconds: Family<Labels<2>, Histogram, fn() -> Histogram>,
}

/// What an export sent, and how long it took.
#[derive(Clone, Copy, Debug)]
pub struct ExportStats {
    /// Rows sent to the client.
    pub rows: u64,
    /// Bytes sent to the client, before compression.
    pub bytes: u64,
    pub took: Duration,
}

impl Exports {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let exports = Self {
            ended: Family::default(),
            rows: Family::default(),
            bytes: Family::default(),
            seconds: Family::new_with_constructor(file_histogram),
        };
        let help = "Exports that ended, by dataset, format and outcome";
        registry.register("exports", help, exports.ended.clone());
        let help = "Rows that exports sent to clients, complete or not";
        registry.register("export_rows", help, exports.rows.clone());
        let help = "Bytes that exports sent to clients, before compression";
        registry.register_with_unit("export", help, Unit::Bytes, exports.bytes.clone());
        let help = "Duration of exports, complete or not";
        registry.register_with_unit("export_duration", help, Unit::Seconds, exports.seconds.clone());
        exports
    }

    /// Counts an export that ended.
    pub fn ended(&self, dataset: Dataset, format: ExportFormat, outcome: Outcome, stats: ExportStats) {
        let ExportStats { rows, bytes, took } = stats;
        let [dataset, format] = [("dataset", dataset.key()), ("format", format.key())];
        self.ended.get_or_create(&[dataset, format, ("outcome", outcome.key())]).inc();
        self.rows.get_or_create(&[dataset, format]).inc_by(rows);
        self.bytes.get_or_create(&[dataset, format]).inc_by(bytes);
        self.seconds.get_or_create(&[dataset, format]).observe(took.as_secs_f64());
    }
}
