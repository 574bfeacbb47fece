//! Asking what came in. All of it is plain data, for assertions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast;

use crate::StandIns;
use crate::ga4::StoredGa4;
use crate::journal::{Entry, Service};
use crate::mixpanel::StoredMixpanel;
use crate::shared::Counts;
use crate::unpoisoned::lock;

impl StandIns {
    /// Every request that is kept, in the order of arrival.
    pub fn journal(&self) -> Vec<Arc<Entry>> {
        lock(&self.shared.journal).entries()
    }

    /// The same of one service.
    pub fn requests(&self, service: Service) -> Vec<Arc<Entry>> {
        self.journal().into_iter().filter(|entry| entry.service == service).collect()
    }

    /// The requests that held this event.
    pub fn requests_with(&self, service: Service, event_uid: &str) -> Vec<Arc<Entry>> {
        let mut requests = self.requests(service);
        requests.retain(|entry| entry.event_uids().contains(&event_uid));
        requests
    }

    /// The time between each request of a service and the next.
    pub fn gaps(&self, service: Service) -> Vec<Duration> {
        let arrivals: Vec<u64> = self.requests(service).iter().map(|entry| entry.arrived_micros).collect();
        arrivals.windows(2).map(|pair| Duration::from_micros(pair[1].saturating_sub(pair[0]))).collect()
    }

    /// The figures.
    pub fn counts(&self) -> Counts {
        *self.shared.counts.borrow()
    }

    /// Waits until the figures are as wanted.
    pub async fn until(&self, is_wanted: impl FnMut(&Counts) -> bool) -> Counts {
        let mut counts = self.shared.counts.subscribe();
        let mut is_wanted = is_wanted;
        let found = counts.wait_for(|counts| is_wanted(counts)).await.map(|counts| *counts);
        found.unwrap_or_else(|_| self.counts())
    }

    /// Every request from now on, as it is judged.
    pub fn feed(&self) -> broadcast::Receiver<Arc<Entry>> {
        self.shared.feed.subscribe()
    }

    /// What GA4 keeps, every copy.
    pub fn stored_ga4(&self) -> Vec<StoredGa4> {
        lock(&self.shared.ga4).events()
    }

    /// How many copies GA4 keeps of each event with an `event_uid`.
    pub fn ga4_copies_by_event_uid(&self) -> BTreeMap<String, usize> {
        lock(&self.shared.ga4).copies()
    }

    /// What Mixpanel keeps, every copy, as a raw export shows it.
    pub fn mixpanel_raw(&self) -> Vec<StoredMixpanel> {
        lock(&self.shared.mixpanel).raw()
    }

    /// What Mixpanel's reports show: of copies that agree in all four parts of the key the latest.
    pub fn mixpanel_deduped(&self) -> Vec<StoredMixpanel> {
        lock(&self.shared.mixpanel).deduped()
    }

    /// How many events with each `event_uid` Mixpanel's reports show, which is one unless a key changed on the way.
    pub fn mixpanel_deduped_by_event_uid(&self) -> BTreeMap<String, usize> {
        let mut copies = BTreeMap::new();
        for uid in self.mixpanel_deduped().into_iter().filter_map(|event| event.event_uid) {
            *copies.entry(uid).or_default() += 1;
        }
        copies
    }
}
