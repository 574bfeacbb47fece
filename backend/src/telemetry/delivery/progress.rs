//! The progress of a run: the counts of each driver, the number of processed events, and the resulting state.

use std::collections::HashSet;

use domain::Driver;
use domain::sync::SyncState;
use parking_lot::Mutex;

use crate::models::sync_run::{DriverStats, Outage, RunReason};
use crate::models::telemetry_delivery::{DeliveryState, DeliveryUpdate};

/// The progress of a run. Shared by its workers and its outcome writer.
#[derive(Debug)]
pub struct Progress(Mutex<Counts>);

/// The counts of a run at some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// One per driver.
    pub drivers: Vec<DriverStats>,
    /// Events that are no longer pending for any driver.
    pub processed: u32,
}

impl Progress {
    /// Creates counts of zero for these drivers.
    pub fn new(drivers: impl IntoIterator<Item = Driver>) -> Self {
        let drivers = drivers.into_iter().map(DriverStats::new).collect();
        Self(Mutex::new(Counts { drivers, processed: 0 }))
    }

    /// The current counts.
    pub fn counts(&self) -> Counts {
        self.0.lock().clone()
    }

    /// Updates a driver's counts.
    pub fn update(&self, driver: Driver, change: impl FnOnce(&mut DriverStats)) {
        let mut counts = self.0.lock();
        if let Some(stats) = counts.drivers.iter_mut().find(|stats| stats.driver == driver) {
            change(stats);
        }
    }

    /// Adds events that are no longer pending for any driver.
    pub fn add_processed(&self, events: usize) {
        let mut counts = self.0.lock();
        counts.processed = counts.processed.saturating_add(u32::try_from(events).unwrap_or(u32::MAX));
    }

    /// Sets the outage because of which a driver's worker stopped early.
    pub fn set_outage(&self, driver: Driver, outage: Option<&Outage>) {
        self.update(driver, |stats| stats.outage = outage.cloned());
    }
}

impl Counts {
    /// The number of processed events as an integer of the database.
    pub fn processed(&self) -> i32 {
        i32::try_from(self.processed).unwrap_or(i32::MAX)
    }

    /// The state of a run that ends with these counts.
    pub fn state(&self, reason: Option<&RunReason>) -> SyncState {
        let sum = |count: fn(&DriverStats) -> u32| self.drivers.iter().map(count).sum::<u32>();
        let delivered = sum(|stats| stats.delivered);
        let expired = sum(|stats| stats.expired);
        let unsuccessful = sum(|stats| stats.retrying + stats.dead);
        let has_outage = self.drivers.iter().any(|stats| stats.outage.is_some());
        let is_aborted = match reason {
            Some(RunReason::Broken | RunReason::Died | RunReason::Interrupted) => true,
            Some(
                RunReason::OutOfTime
                | RunReason::NoDriver
                | RunReason::NothingPending
                | RunReason::NothingDue
                | RunReason::NothingToRetry
                | RunReason::NotConfigured { .. },
            )
            | None => false,
        };
        let has_failed = unsuccessful > 0 || has_outage || is_aborted;
        match (delivered, expired, has_failed) {
            (0, 0, false) => SyncState::Skipped,
            // Expired events alone are not a failure: they need no action.
            (0, 1.., false) | (1.., 0, false) => SyncState::Success,
            (0, _, true) => SyncState::Failed,
            (1.., 1.., false) | (1.., _, true) => SyncState::Partial,
        }
    }
}

/// The change that outcomes make to a driver's counts.
#[derive(Debug, Default)]
pub struct Delta {
    attempted: u32,
    delivered: u32,
    dead: u32,
    expired: u32,
    began_retrying: u32,
    ended_retrying: u32,
}

impl Delta {
    /// Adds an outcome. `retrying` has the ids of events that were attempted in this run and are still
    /// pending.
    pub fn add(&mut self, update: &DeliveryUpdate, retrying: &mut HashSet<i64>) {
        if update.state == DeliveryState::Pending {
            return;
        }
        let is_new = !retrying.contains(&update.event_id);
        self.attempted += u32::from(is_new && update.state != DeliveryState::Expired);
        if update.state == DeliveryState::Retry {
            self.began_retrying += u32::from(retrying.insert(update.event_id));
            return;
        }
        self.ended_retrying += u32::from(retrying.remove(&update.event_id));
        match update.state {
            DeliveryState::Delivered => self.delivered += 1,
            DeliveryState::Dead => self.dead += 1,
            DeliveryState::Expired => self.expired += 1,
            DeliveryState::Retry | DeliveryState::Pending => {}
        }
    }

    /// Applies the change to a driver's counts.
    pub fn apply(self, stats: &mut DriverStats) {
        stats.attempted += self.attempted;
        stats.delivered += self.delivered;
        stats.dead += self.dead;
        stats.expired += self.expired;
        stats.retrying = (stats.retrying + self.began_retrying).saturating_sub(self.ended_retrying);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(drivers: impl IntoIterator<Item = DriverStats>) -> SyncState {
        Counts { drivers: drivers.into_iter().collect(), processed: 0 }.state(None)
    }

    #[test]
    fn the_state_of_a_run_follows_from_its_counts() {
        let none = DriverStats::new(Driver::Ga4);
        let good = DriverStats { delivered: 3, ..DriverStats::new(Driver::Mixpanel) };
        assert_eq!(state([none.clone()]), SyncState::Skipped);
        assert_eq!(state([none.clone(), good.clone()]), SyncState::Success);
        assert_eq!(state([DriverStats { dead: 1, ..good.clone() }]), SyncState::Partial);
        assert_eq!(state([DriverStats { expired: 1, ..good.clone() }]), SyncState::Partial);
        assert_eq!(state([DriverStats { expired: 1, ..none.clone() }]), SyncState::Success);
        assert_eq!(state([DriverStats { expired: 1, dead: 1, ..none.clone() }]), SyncState::Failed);
        assert_eq!(state([DriverStats { retrying: 1, ..none.clone() }]), SyncState::Failed);
        let unreachable = DriverStats { outage: Some(Outage::Unreachable), ..none };
        assert_eq!(state([unreachable.clone()]), SyncState::Failed);
        assert_eq!(state([unreachable, good]), SyncState::Partial);
    }
}
