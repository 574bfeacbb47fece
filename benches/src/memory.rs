//! The memory usage of a process.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::task::JoinHandle;

/// The resident memory of a process, in KiB.
pub fn resident(process: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS is missing")?;
    line.trim().trim_end_matches(" kB").parse().context("VmRSS is not a number")
}

/// Samples the resident memory of a process in the background.
pub struct MemoryWatch {
    peak: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl MemoryWatch {
    /// Starts sampling.
    pub fn start(process: u32) -> Self {
        let peak = Arc::new(AtomicU64::new(0));
        let shared_peak = Arc::clone(&peak);
        let task = tokio::spawn(async move {
            while let Ok(now) = resident(process) {
                shared_peak.fetch_max(now, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        Self { peak, task }
    }

    /// Stops sampling and returns the peak in KiB.
    pub fn peak(self) -> u64 {
        self.task.abort();
        self.peak.load(Ordering::Relaxed)
    }
}
