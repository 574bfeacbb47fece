//! How a run is said to have gone.

use super::board::Counts;
use crate::models::sync_run::{Note, SyncState};

/// The state of a run with these counts.
pub fn state(counts: &Counts, note: Option<&Note>) -> SyncState {
    let sum = |of: fn(&crate::models::sync_run::Share) -> u32| counts.shares.iter().map(of).sum::<u32>();
    let delivered = sum(|share| share.delivered);
    let expired = sum(|share| share.expired);
    let left = sum(|share| share.retrying + share.dead);
    let is_troubled = counts.shares.iter().any(|share| share.trouble.is_some());
    let is_cut_short = match note {
        Some(Note::Broken | Note::Died | Note::Interrupted) => true,
        Some(
            Note::OutOfTime
            | Note::NoDriver
            | Note::NothingPending
            | Note::NothingDue
            | Note::NothingToRetry
            | Note::NotConfigured { .. },
        )
        | None => false,
    };
    let is_flawed = left > 0 || is_troubled || is_cut_short;
    match (delivered, expired, is_flawed) {
        (0, 0, false) => SyncState::Skipped,
        // All that was too old is settled, and nobody need do anything about it.
        (0, 1.., false) | (1.., 0, false) => SyncState::Success,
        (0, _, true) => SyncState::Failed,
        (1.., 1.., false) | (1.., _, true) => SyncState::Partial,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::driver::Driver;
    use crate::models::sync_run::{Share, Trouble};

    fn state_of(shares: impl IntoIterator<Item = Share>) -> SyncState {
        state(&Counts { shares: shares.into_iter().collect(), processed: 0 }, None)
    }

    #[test]
    fn a_run_is_as_good_as_what_it_left() {
        let none = Share::new(Driver::Ga4);
        let good = Share { delivered: 3, ..Share::new(Driver::Mixpanel) };
        assert_eq!(state_of([none.clone()]), SyncState::Skipped);
        assert_eq!(state_of([none.clone(), good.clone()]), SyncState::Success);
        assert_eq!(state_of([Share { dead: 1, ..good.clone() }]), SyncState::Partial);
        assert_eq!(state_of([Share { expired: 1, ..good.clone() }]), SyncState::Partial);
        assert_eq!(state_of([Share { expired: 1, ..none.clone() }]), SyncState::Success);
        assert_eq!(state_of([Share { expired: 1, dead: 1, ..none.clone() }]), SyncState::Failed);
        assert_eq!(state_of([Share { retrying: 1, ..none.clone() }]), SyncState::Failed);
        let closed = Share { trouble: Some(Trouble::Unreachable), ..none };
        assert_eq!(state_of([closed.clone()]), SyncState::Failed);
        assert_eq!(state_of([closed, good]), SyncState::Partial);
    }
}
