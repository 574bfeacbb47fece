//! Imports: how many ended, and what became of their rows.

use std::time::Duration;

use domain::import::ImportState;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::{Labels, file_histogram};
use crate::models::import::Import;
use crate::models::snapshot_table::SnapshotTable;

/// Metrics of imports.
#[derive(Debug)]
pub struct Imports {
    ended: Family<Labels<3>, Counter>,
    rows: Family<Labels<2>, Counter>,
    seconds: Family<Labels<1>, Histogram, fn() -> Histogram>,
}

/// Whether an import writes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportKind {
    /// It writes rows.
    Real,
    /// It only validates and counts rows.
    DryRun,
}

impl Imports {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let imports = Self {
            ended: Family::default(),
            rows: Family::default(),
            seconds: Family::new_with_constructor(file_histogram),
        };
        let help = "Imports that ended, by dataset, by state and by whether they were dry runs";
        registry.register("imports", help, imports.ended.clone());
        let help = "Rows of imports other than dry runs, by result";
        registry.register("import_rows", help, imports.rows.clone());
        let help = "Duration of imports, including dry runs";
        registry.register_with_unit("import_duration", help, Unit::Seconds, imports.seconds.clone());
        imports
    }

    /// Counts an import that read its file to the end.
    pub fn ended(&self, import: &Import, took: Duration) {
        let kind = if import.dry_run { ImportKind::DryRun } else { ImportKind::Real };
        self.count(import.table, import.state, kind, took);
        if kind == ImportKind::DryRun {
            return;
        }
        let results = [
            ("inserted", import.rows_inserted),
            ("duplicate", import.rows_duplicate),
            ("rejected", import.rows_rejected),
        ];
        for (result, rows) in results {
            let labels = [("dataset", import.table.dataset().key()), ("result", result)];
            self.rows.get_or_create(&labels).inc_by(rows.unsigned_abs());
        }
    }

    /// Counts an import that did not read its file to the end.
    pub fn aborted(&self, table: SnapshotTable, state: ImportState, kind: ImportKind, took: Duration) {
        self.count(table, state, kind, took);
    }

    fn count(&self, table: SnapshotTable, state: ImportState, kind: ImportKind, took: Duration) {
        let dataset = ("dataset", table.dataset().key());
        let dry_run = match kind {
            ImportKind::Real => "false",
            ImportKind::DryRun => "true",
        };
        self.ended.get_or_create(&[dataset, ("state", state.key()), ("dry_run", dry_run)]).inc();
        self.seconds.get_or_create(&[dataset]).observe(took.as_secs_f64());
    }
}
