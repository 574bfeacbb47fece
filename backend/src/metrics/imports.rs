//! Files coming in.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::{Labels, of_a_file};
use crate::models::import::{Import, ImportState};
use crate::models::snapshot_table::SnapshotTable;

/// Files coming in.
#[derive(Debug)]
pub struct Imports {
    ended: Family<Labels<3>, Counter>,
    rows: Family<Labels<2>, Counter>,
    seconds: Family<Labels<1>, Histogram, fn() -> Histogram>,
}

/// Whether an import was to write anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// It was.
    Real,
    /// It was to check and count only.
    Dry,
}

impl Imports {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let imports = Self {
            ended: Family::default(),
            rows: Family::default(),
            seconds: Family::new_with_constructor(of_a_file),
        };
        let help = "Imports that ended, by dataset and state, and whether they were dry runs";
        registry.register("imports", help, imports.ended.clone());
        let help = "Rows of imports that were no dry runs, by result";
        registry.register("import_rows", help, imports.rows.clone());
        let help = "How long imports took, dry runs included";
        registry.register_with_unit("import_duration", help, Unit::Seconds, imports.seconds.clone());
        imports
    }

    /// An import was read to its end.
    pub fn ended(&self, import: &Import, took: Duration) {
        let run = if import.dry_run { Run::Dry } else { Run::Real };
        self.count(import.table, import.state, run, took);
        if run == Run::Dry {
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

    /// An import ended before its file was read to the end.
    pub fn broke_off(&self, table: SnapshotTable, state: ImportState, run: Run, took: Duration) {
        self.count(table, state, run, took);
    }

    fn count(&self, table: SnapshotTable, state: ImportState, run: Run, took: Duration) {
        let dataset = ("dataset", table.dataset().key());
        let dry_run = match run {
            Run::Real => "false",
            Run::Dry => "true",
        };
        self.ended.get_or_create(&[dataset, ("state", state.key()), ("dry_run", dry_run)]).inc();
        self.seconds.get_or_create(&[dataset]).observe(took.as_secs_f64());
    }
}
