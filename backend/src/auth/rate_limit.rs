//! Rate limits for sign-in attempts, per account and per address.
//!
//! The counts are kept in memory, so each `serve` process has separate limits. This is enough to stop
//! password guessing, since the delays grow, and it keeps a flood of attempts away from the database. Unknown
//! accounts are limited like known ones, so an error does not reveal which accounts exist.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use lru::LruCache;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use crate::config;
use crate::error::Error;

/// The first delay; it doubles with each further failure.
const INITIAL_DELAY: TimeDelta = TimeDelta::seconds(30);
/// The maximum delay, and how long after a delay the failures are forgotten.
const MAX_DELAY: TimeDelta = TimeDelta::minutes(15);

/// The window in which the attempts of an address are counted.
const ADDRESS_WINDOW: TimeDelta = TimeDelta::minutes(1);

/// The maximum number of tracked accounts, and of tracked addresses. The least recently used ones are
/// evicted.
const MAX_TRACKED: NonZeroUsize = NonZeroUsize::new(50_000).expect("50,000 is not zero");

/// How long to wait before the next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryAfter(pub TimeDelta);

/// Recent sign-in attempts.
pub struct LoginLimits {
    allowed_failures: u32,
    attempts_per_address: usize,
    accounts: Mutex<LruCache<[u8; 32], Failures>>,
    addresses: Mutex<LruCache<IpAddr, VecDeque<DateTime<Utc>>>>,
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    retry_at: DateTime<Utc>,
}

impl LoginLimits {
    /// Starts without any recorded attempts.
    pub fn new(config: &config::auth::Auth) -> Self {
        Self {
            allowed_failures: config.login_attempts_per_account,
            attempts_per_address: config.login_attempts_per_address as usize,
            accounts: Mutex::new(LruCache::new(MAX_TRACKED)),
            addresses: Mutex::new(LruCache::new(MAX_TRACKED)),
        }
    }

    /// Allows an attempt, or returns how long to wait.
    ///
    /// Each attempt counts as a failure when it starts, so concurrent attempts cannot bypass the limit.
    /// [`Self::reset`] clears the failures after a successful sign-in.
    pub fn check(
        &self,
        account: &str,
        address: Option<IpAddr>,
        now: DateTime<Utc>,
    ) -> Result<(), RetryAfter> {
        if let Some(address) = address {
            self.check_address(address, now)?;
        }
        self.check_account(account, now)
    }

    /// Clears the account's failures.
    pub fn reset(&self, account: &str) {
        self.accounts.lock().pop(&account_key(account));
    }

    fn check_address(&self, address: IpAddr, now: DateTime<Utc>) -> Result<(), RetryAfter> {
        let mut addresses = self.addresses.lock();
        let attempts = addresses.get_or_insert_mut(network(address), VecDeque::new);
        while attempts.front().is_some_and(|first| now - first >= ADDRESS_WINDOW) {
            attempts.pop_front();
        }
        match attempts.front() {
            Some(first) if attempts.len() >= self.attempts_per_address => {
                Err(RetryAfter(*first + ADDRESS_WINDOW - now))
            }
            Some(_) | None => {
                attempts.push_back(now);
                Ok(())
            }
        }
    }

    fn check_account(&self, account: &str, now: DateTime<Utc>) -> Result<(), RetryAfter> {
        let none = Failures { count: 0, retry_at: now };
        let mut accounts = self.accounts.lock();
        let failures = accounts.get_or_insert_mut(account_key(account), || none);
        if now - failures.retry_at >= MAX_DELAY {
            *failures = none;
        }
        if failures.retry_at > now {
            return Err(RetryAfter(failures.retry_at - now));
        }
        failures.count = failures.count.saturating_add(1);
        failures.retry_at = now + self.delay(failures.count);
        Ok(())
    }

    fn delay(&self, failures: u32) -> TimeDelta {
        match failures.checked_sub(self.allowed_failures) {
            None => TimeDelta::zero(),
            Some(doublings) => (INITIAL_DELAY * 2_i32.pow(doublings.min(10))).min(MAX_DELAY),
        }
    }
}

impl From<RetryAfter> for Error {
    fn from(RetryAfter(delay): RetryAfter) -> Self {
        // Rounded up, so that a retry at the stated time is not too early.
        let seconds = delay.num_milliseconds().max(0).unsigned_abs().div_ceil(1000);
        Self::TooManyRequests { retry_after: Duration::from_secs(seconds) }
    }
}

/// Accounts are tracked by a digest, which has a fixed size and does not reveal the address that was typed.
fn account_key(account: &str) -> [u8; 32] {
    Sha256::digest(account.trim().to_lowercase()).into()
}

/// An IPv6 address counts as its /64 network, which usually belongs to one customer.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            [a, b, c, d, 0, 0, 0, 0].into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCALHOST: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));

    fn limits() -> LoginLimits {
        LoginLimits::new(&config::Config::for_database("postgres:///", &"k".repeat(32)).auth)
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    fn retry_after(seconds: i64) -> Result<(), RetryAfter> {
        Err(RetryAfter(TimeDelta::seconds(seconds)))
    }

    #[test]
    fn the_delay_doubles_with_each_failure_after_the_fifth() {
        let limits = limits();
        for _ in 0..5 {
            assert_eq!(limits.check("ana@example.com", LOCALHOST, at(0)), Ok(()));
        }
        assert_eq!(limits.check("ana@example.com", LOCALHOST, at(0)), retry_after(30));
        assert_eq!(limits.check(" Ana@Example.com", LOCALHOST, at(10)), retry_after(20));
        assert_eq!(limits.check("ana@example.com", LOCALHOST, at(30)), Ok(()));
        assert_eq!(limits.check("ana@example.com", LOCALHOST, at(30)), retry_after(60));
        assert_eq!(limits.check("eva@example.com", LOCALHOST, at(30)), Ok(()));
        assert_eq!(limits.delay(u32::MAX), MAX_DELAY);
    }

    #[test]
    fn failures_are_forgotten_after_15_quiet_minutes_or_a_sign_in() {
        let limits = limits();
        for _ in 0..4 {
            limits.check("ana@example.com", LOCALHOST, at(0)).unwrap();
            limits.check("eva@example.com", LOCALHOST, at(0)).unwrap();
        }
        limits.reset("EVA@example.com");
        for (account, seconds) in [("ana@example.com", 900), ("eva@example.com", 61)] {
            for _ in 0..5 {
                assert_eq!(limits.check(account, LOCALHOST, at(seconds)), Ok(()));
            }
            assert_eq!(limits.check(account, LOCALHOST, at(seconds)), retry_after(30));
        }
    }

    #[test]
    fn one_address_has_twenty_attempts_per_minute() {
        let limits = limits();
        for account in 0..20 {
            assert_eq!(limits.check(&account.to_string(), LOCALHOST, at(account)), Ok(()));
        }
        assert_eq!(limits.check("another", LOCALHOST, at(20)), retry_after(40));
        assert_eq!(limits.check("another", Some(address("::ffff:127.0.0.1")), at(20)), retry_after(40));
        assert_eq!(limits.check("another", Some(address("10.0.0.1")), at(20)), Ok(()));
        assert_eq!(limits.check("another", LOCALHOST, at(60)), Ok(()));
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        let limits = limits();
        for host in 0..20 {
            limits.check(&host.to_string(), Some(address(&format!("2001:db8:0:1::{host}"))), at(0)).unwrap();
        }
        assert_eq!(limits.check("another", Some(address("2001:db8:0:1:ffff::1")), at(0)), retry_after(60));
        assert_eq!(limits.check("another", Some(address("2001:db8:0:2::1")), at(0)), Ok(()));
    }
}
