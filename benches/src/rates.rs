//! Repeated measurements of a rate.

use std::time::Duration;

/// Repeated measurements of events per second.
#[derive(Default)]
pub struct Rates(Vec<f64>);

impl Rates {
    /// Adds a measurement.
    #[expect(clippy::cast_precision_loss, reason = "the counts are far below 2^52")]
    pub fn add(&mut self, events: usize, duration: Duration) {
        self.0.push(events as f64 / duration.as_secs_f64());
    }

    /// Adds a rate.
    pub fn add_rate(&mut self, rate: f64) {
        self.0.push(rate);
    }

    fn sorted(&self) -> Vec<f64> {
        let mut rates = self.0.clone();
        rates.sort_by(f64::total_cmp);
        rates
    }

    /// The median rate.
    pub fn median(&self) -> f64 {
        self.sorted().get(self.0.len() / 2).copied().unwrap_or_default()
    }
}

impl std::fmt::Display for Rates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rates = self.sorted();
        let ends = [rates.first(), rates.last()].map(|rate| rate.copied().unwrap_or_default());
        write!(f, "min {:.0}   median {:.0}   max {:.0} events/s", ends[0], self.median(), ends[1])
    }
}
