//! What verdicts change in a driver's share of a run.

use std::collections::HashSet;

use crate::models::sync_run::Share;
use crate::models::telemetry_delivery::{Judged, Judgement};

/// The sum of some verdicts.
#[derive(Debug, Default)]
pub struct Tallied {
    attempted: u32,
    delivered: u32,
    dead: u32,
    expired: u32,
    began_retrying: u32,
    ended_retrying: u32,
}

impl Tallied {
    /// Adds a verdict. `retrying` are the events that were tried in this run and are still owed.
    pub fn add(&mut self, judgement: &Judgement, retrying: &mut HashSet<i64>) {
        if judgement.state == Judged::Pending {
            return;
        }
        let is_new = !retrying.contains(&judgement.event_id);
        self.attempted += u32::from(is_new && judgement.state != Judged::Expired);
        if judgement.state == Judged::Retry {
            self.began_retrying += u32::from(retrying.insert(judgement.event_id));
            return;
        }
        self.ended_retrying += u32::from(retrying.remove(&judgement.event_id));
        match judgement.state {
            Judged::Delivered => self.delivered += 1,
            Judged::Dead => self.dead += 1,
            Judged::Expired => self.expired += 1,
            Judged::Retry | Judged::Pending => {}
        }
    }

    /// Adds the sum to a share.
    pub fn change(self, share: &mut Share) {
        share.attempted += self.attempted;
        share.delivered += self.delivered;
        share.dead += self.dead;
        share.expired += self.expired;
        share.retrying = (share.retrying + self.began_retrying).saturating_sub(self.ended_retrying);
    }
}
