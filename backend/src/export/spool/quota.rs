//! Limits on the number of bytes in use at one time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A limit in bytes, and how much of it is in use.
#[derive(Debug)]
pub struct Quota {
    limit: u64,
    used: AtomicU64,
}

impl Quota {
    /// A limit in bytes, with nothing in use.
    pub const fn new(limit: u64) -> Self {
        Self { limit, used: AtomicU64::new(0) }
    }

    fn acquire(&self, bytes: u64) -> bool {
        let add = |used: u64| used.checked_add(bytes).filter(|sum| *sum <= self.limit);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).is_ok()
    }

    fn release(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// The number of bytes in use.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }
}

/// Bytes that one export uses, counted against its own limit and the shared one. Dropping it releases them.
#[derive(Debug)]
pub struct Claim {
    quotas: [Arc<Quota>; 2],
    bytes: u64,
}

impl Claim {
    /// Acquires this many bytes, or returns `None` if that would exceed a limit.
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

    /// Adds the other claim to this one. Both must belong to the same export.
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
    fn claims_respect_the_limit_of_one_export_and_the_shared_limit() {
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
    fn a_quota_never_exceeds_its_limit() {
        let quota = Quota::new(10);
        assert!(quota.acquire(6) && quota.acquire(4));
        assert!(!quota.acquire(1));
        quota.release(4);
        assert!(!quota.acquire(u64::MAX) && quota.acquire(1));
        assert_eq!(quota.used(), 7);
    }
}
