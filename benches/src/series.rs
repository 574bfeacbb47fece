//! Repeated measurements of a duration.

use std::fmt;
use std::time::Duration;

/// Measurements of the same operation, sorted.
#[derive(Debug, Default)]
pub struct Series(Vec<Duration>);

impl Series {
    /// Adds a measurement.
    pub fn add(&mut self, time: Duration) {
        self.extend([time]);
    }

    /// Adds measurements.
    pub fn extend(&mut self, times: impl IntoIterator<Item = Duration>) {
        self.0.extend(times);
        self.0.sort_unstable();
    }

    /// The median.
    pub fn median(&self) -> Duration {
        self.percentile(50)
    }

    /// A percentile.
    pub fn percentile(&self, percent: usize) -> Duration {
        self.0.get(self.0.len() * percent / 100).copied().unwrap_or_default()
    }

    /// The ratio of this median to the median of the reference.
    pub fn ratio_to(&self, reference: &Self) -> f64 {
        self.median().as_secs_f64() / reference.median().as_secs_f64()
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ends = [self.0.first(), self.0.last()].map(|time| time.copied().unwrap_or_default());
        let [min, max] = ends.map(|time| time.as_secs_f64());
        let median = self.median().as_secs_f64();
        write!(f, "min {min:.3} s   median {median:.3} s   max {max:.3} s")
    }
}
