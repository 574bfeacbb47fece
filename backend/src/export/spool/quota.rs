//! Limits on bytes that are in use at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A limit, and how much of it is in use.
#[derive(Debug)]
pub struct Quota {
    limit: u64,
    used: AtomicU64,
}

impl Quota {
    /// A limit in bytes, none of which is in use.
    pub const fn new(limit: u64) -> Self {
        Self { limit, used: AtomicU64::new(0) }
    }

    fn acquire(&self, bytes: u64) -> bool {
        let more = |used: u64| used.checked_add(bytes).filter(|sum| *sum <= self.limit);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    fn release(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Bytes in use.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }
}

/// Bytes that one export uses, by its own limit and by that of all together. They are given back with it.
#[derive(Debug)]
pub struct Claim {
    quotas: [Arc<Quota>; 2],
    bytes: u64,
}

impl Claim {
    /// Uses this many bytes, unless that would exceed a limit.
    pub fn acquire(quotas: &[Arc<Quota>; 2], bytes: u64) -> Option<Self> {
        let [own, total] = quotas;
        if !own.acquire(bytes) {
            return None;
        }
        if !total.acquire(bytes) {
            own.release(bytes);
            return None;
        }
        Some(Self { quotas: quotas.clone(), bytes })
    }

    /// Both in one; of the same export.
    pub fn merge(&mut self, mut other: Self) {
        self.bytes += std::mem::take(&mut other.bytes);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        for quota in &self.quotas {
            quota.release(self.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_uses_no_more_than_it_may_and_all_together_no_more_than_they_may() {
        let total = Arc::new(Quota::new(15));
        let [one, other] = [(); 2].map(|()| [Arc::new(Quota::new(10)), Arc::clone(&total)]);
        let mut first = Claim::acquire(&one, 6).unwrap();
        first.merge(Claim::acquire(&one, 4).unwrap());
        assert!(Claim::acquire(&one, 1).is_none());
        assert!(Claim::acquire(&other, 6).is_none());
        let second = Claim::acquire(&other, 5).unwrap();
        assert_eq!((total.used(), other[0].used()), (15, 5));
        drop(first);
        assert_eq!((total.used(), one[0].used()), (5, 0));
        drop(second);
        assert_eq!(total.used(), 0);
    }

    #[test]
    fn no_more_is_used_than_the_limit() {
        let quota = Quota::new(10);
        assert!(quota.acquire(6) && quota.acquire(4));
        assert!(!quota.acquire(1));
        quota.release(4);
        assert!(!quota.acquire(u64::MAX) && quota.acquire(1));
        assert_eq!(quota.used(), 7);
    }
}
