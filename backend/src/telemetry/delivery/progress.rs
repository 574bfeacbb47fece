//! How far a run has come: each driver's share, and the events that owe nothing more.

use std::sync::Mutex;

use crate::models::driver::Driver;
use crate::models::sync_run::{Share, Trouble};
use crate::unpoisoned;

/// The counts of a run.
#[derive(Debug)]
pub struct Board(Mutex<Counts>);

/// The counts at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Each driver's share.
    pub shares: Vec<Share>,
    /// Events that got their last verdict.
    pub processed: u32,
}

impl Board {
    /// Nothing done yet, by these drivers.
    pub fn new(drivers: impl IntoIterator<Item = Driver>) -> Self {
        let shares = drivers.into_iter().map(Share::new).collect();
        Self(Mutex::new(Counts { shares, processed: 0 }))
    }

    /// The counts now.
    pub fn counts(&self) -> Counts {
        unpoisoned::lock(&self.0).clone()
    }

    /// Changes a driver's share.
    pub fn change(&self, driver: Driver, change: impl FnOnce(&mut Share)) {
        let mut counts = unpoisoned::lock(&self.0);
        if let Some(share) = counts.shares.iter_mut().find(|share| share.driver == driver) {
            change(share);
        }
    }

    /// So many events more owe nothing.
    pub fn settled(&self, events: usize) {
        let mut counts = unpoisoned::lock(&self.0);
        counts.processed = counts.processed.saturating_add(u32::try_from(events).unwrap_or(u32::MAX));
    }

    /// Says why a driver was given up.
    pub fn give_up(&self, driver: Driver, trouble: Option<&Trouble>) {
        self.change(driver, |share| share.trouble = trouble.cloned());
    }
}

impl Counts {
    /// The events that got their last verdict, as they are stored.
    pub fn processed(&self) -> i32 {
        i32::try_from(self.processed).unwrap_or(i32::MAX)
    }
}
