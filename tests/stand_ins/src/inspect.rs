//! Access to received requests and stored events, as plain data for assertions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast;

use crate::StandIns;
use crate::ga4::StoredGa4;
use crate::journal::{Entry, Service};
use crate::mixpanel::StoredMixpanel;
use crate::shared::Counts;

impl StandIns {
    /// The requests in the journal, in order of arrival.
    pub fn journal(&self) -> Vec<Arc<Entry>> {
        self.shared.journal.lock().entries()
    }

    /// The requests in the journal to one service, in order of arrival.
    pub fn requests(&self, service: Service) -> Vec<Arc<Entry>> {
        self.journal().into_iter().filter(|entry| entry.service == service).collect()
    }

    /// The requests in the journal with this event.
    pub fn requests_with(&self, service: Service, event_uid: &str) -> Vec<Arc<Entry>> {
        let mut requests = self.requests(service);
        requests.retain(|entry| entry.event_uids().contains(&event_uid));
        requests
    }

    /// The times between consecutive requests to a service.
    pub fn gaps(&self, service: Service) -> Vec<Duration> {
        let arrivals: Vec<u64> = self.requests(service).iter().map(|entry| entry.arrived_micros).collect();
        arrivals.windows(2).map(|pair| Duration::from_micros(pair[1].saturating_sub(pair[0]))).collect()
    }

    /// The current counts.
    pub fn counts(&self) -> Counts {
        *self.shared.counts.borrow()
    }

    /// Waits until the counts meet a condition.
    pub async fn until(&self, condition: impl FnMut(&Counts) -> bool) -> Counts {
        let mut counts = self.shared.counts.subscribe();
        let mut condition = condition;
        let found = counts.wait_for(|counts| condition(counts)).await.map(|counts| *counts);
        found.unwrap_or_else(|_| self.counts())
    }

    /// Receives each further request once it is processed.
    pub fn feed(&self) -> broadcast::Receiver<Arc<Entry>> {
        self.shared.feed.subscribe()
    }

    /// The events in GA4, including duplicates.
    pub fn stored_ga4(&self) -> Vec<StoredGa4> {
        self.shared.ga4.lock().events()
    }

    /// The number of copies in GA4 of each event with an `event_uid`.
    pub fn ga4_copies_by_event_uid(&self) -> BTreeMap<String, usize> {
        self.shared.ga4.lock().copies()
    }

    /// The events in Mixpanel, including duplicates, as in a raw export.
    pub fn mixpanel_raw(&self) -> Vec<StoredMixpanel> {
        self.shared.mixpanel.lock().raw()
    }

    /// The events in Mixpanel's reports: the latest copy of each deduplication key.
    pub fn mixpanel_deduped(&self) -> Vec<StoredMixpanel> {
        self.shared.mixpanel.lock().deduped()
    }

    /// The number of events with each `event_uid` in Mixpanel's reports. It is 1 unless copies have different
    /// keys.
    pub fn mixpanel_deduped_by_event_uid(&self) -> BTreeMap<String, usize> {
        let mut copies = BTreeMap::new();
        for uid in self.mixpanel_deduped().into_iter().filter_map(|event| event.event_uid) {
            *copies.entry(uid).or_default() += 1;
        }
        copies
    }
}
