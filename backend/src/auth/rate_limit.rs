//! How often somebody may try to sign in, by account and by address.
//!
//! The counts live in this process and are gone when it ends: with several `serve` processes, each allows its own
//! number. That is enough against guessing, since the waits grow, and it keeps a flood of attempts off the database.
//! Unknown accounts count like known ones, so a refusal says nothing about which accounts there are.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use lru::LruCache;
use sha2::{Digest, Sha256};

use crate::config;
use crate::error::Error;
use crate::unpoisoned;

/// The wait after the last free failure; it doubles with each one more.
const FIRST_WAIT: TimeDelta = TimeDelta::seconds(30);
/// The longest wait, and how long failures are remembered once the wait is over.
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(15);

/// The time in which an address has its number of attempts.
const ADDRESS_WINDOW: TimeDelta = TimeDelta::minutes(1);

/// How many accounts and addresses are kept in mind; the ones not seen for longest are forgotten first.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(50_000).expect("not zero");

/// How long to wait before the next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait(pub TimeDelta);

/// The attempts of late.
pub struct LoginLimits {
    free_failures: u32,
    attempts_per_address: usize,
    accounts: Mutex<LruCache<[u8; 32], Failures>>,
    addresses: Mutex<LruCache<IpAddr, VecDeque<DateTime<Utc>>>>,
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    wait_until: DateTime<Utc>,
}

impl LoginLimits {
    /// Nobody has tried anything yet.
    pub fn new(config: &config::auth::Auth) -> Self {
        Self {
            free_failures: config.login_attempts_per_account,
            attempts_per_address: config.login_attempts_per_address as usize,
            accounts: Mutex::new(LruCache::new(REMEMBERED)),
            addresses: Mutex::new(LruCache::new(REMEMBERED)),
        }
    }

    /// Lets an attempt through or says how long to wait.
    ///
    /// An attempt counts as a failure from the start, so that many at once gain nothing; [`Self::forgive`] takes the
    /// failures back when the password was right.
    pub fn admit(&self, account: &str, address: Option<IpAddr>, now: DateTime<Utc>) -> Result<(), Wait> {
        if let Some(address) = address {
            self.admit_address(address, now)?;
        }
        self.admit_account(account, now)
    }

    /// Forgets the account's failures.
    pub fn forgive(&self, account: &str) {
        unpoisoned::lock(&self.accounts).pop(&fingerprint(account));
    }

    fn admit_address(&self, address: IpAddr, now: DateTime<Utc>) -> Result<(), Wait> {
        let mut addresses = unpoisoned::lock(&self.addresses);
        let attempts = addresses.get_or_insert_mut(network(address), VecDeque::new);
        while attempts.front().is_some_and(|first| now - first >= ADDRESS_WINDOW) {
            attempts.pop_front();
        }
        match attempts.front() {
            Some(first) if attempts.len() >= self.attempts_per_address => {
                Err(Wait(*first + ADDRESS_WINDOW - now))
            }
            Some(_) | None => {
                attempts.push_back(now);
                Ok(())
            }
        }
    }

    fn admit_account(&self, account: &str, now: DateTime<Utc>) -> Result<(), Wait> {
        let none = Failures { count: 0, wait_until: now };
        let mut accounts = unpoisoned::lock(&self.accounts);
        let failures = accounts.get_or_insert_mut(fingerprint(account), || none);
        if now - failures.wait_until >= LONGEST_WAIT {
            *failures = none;
        }
        if failures.wait_until > now {
            return Err(Wait(failures.wait_until - now));
        }
        failures.count = failures.count.saturating_add(1);
        failures.wait_until = now + self.wait_after(failures.count);
        Ok(())
    }

    fn wait_after(&self, failures: u32) -> TimeDelta {
        match failures.checked_sub(self.free_failures) {
            None => TimeDelta::zero(),
            Some(doublings) => (FIRST_WAIT * 2_i32.pow(doublings.min(10))).min(LONGEST_WAIT),
        }
    }
}

impl From<Wait> for Error {
    fn from(Wait(time): Wait) -> Self {
        // Rounded up, so that whoever waits as long as told gets through.
        let seconds = time.num_milliseconds().max(0).unsigned_abs().div_ceil(1000);
        Self::TooMany { retry_after: Duration::from_secs(seconds) }
    }
}

/// Accounts are kept by a digest: it has one size, and the list is of no use to anybody.
fn fingerprint(account: &str) -> [u8; 32] {
    Sha256::digest(account.trim().to_lowercase()).into()
}

/// Whoever has an IPv6 address has its whole /64.
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

    const HOME: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));

    fn limits() -> LoginLimits {
        LoginLimits::new(&config::Config::for_database("postgres:///", &"k".repeat(32)).auth)
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    fn wait(seconds: i64) -> Result<(), Wait> {
        Err(Wait(TimeDelta::seconds(seconds)))
    }

    #[test]
    fn the_wait_grows_with_each_failure_after_the_fifth() {
        let limits = limits();
        for _ in 0..5 {
            assert_eq!(limits.admit("ana@example.com", HOME, at(0)), Ok(()));
        }
        assert_eq!(limits.admit("ana@example.com", HOME, at(0)), wait(30));
        assert_eq!(limits.admit(" Ana@Example.com", HOME, at(10)), wait(20));
        assert_eq!(limits.admit("ana@example.com", HOME, at(30)), Ok(()));
        assert_eq!(limits.admit("ana@example.com", HOME, at(30)), wait(60));
        assert_eq!(limits.admit("eva@example.com", HOME, at(30)), Ok(()));
        assert_eq!(limits.wait_after(u32::MAX), LONGEST_WAIT);
    }

    #[test]
    fn failures_are_forgotten_after_a_quiet_quarter_of_an_hour_or_a_sign_in() {
        let limits = limits();
        for _ in 0..4 {
            limits.admit("ana@example.com", HOME, at(0)).unwrap();
            limits.admit("eva@example.com", HOME, at(0)).unwrap();
        }
        limits.forgive("EVA@example.com");
        for (account, later) in [("ana@example.com", 900), ("eva@example.com", 61)] {
            for _ in 0..5 {
                assert_eq!(limits.admit(account, HOME, at(later)), Ok(()));
            }
            assert_eq!(limits.admit(account, HOME, at(later)), wait(30));
        }
    }

    #[test]
    fn one_address_has_twenty_attempts_a_minute() {
        let limits = limits();
        for account in 0..20 {
            assert_eq!(limits.admit(&account.to_string(), HOME, at(account)), Ok(()));
        }
        assert_eq!(limits.admit("another", HOME, at(20)), wait(40));
        assert_eq!(limits.admit("another", Some(address("::ffff:127.0.0.1")), at(20)), wait(40));
        assert_eq!(limits.admit("another", Some(address("10.0.0.1")), at(20)), Ok(()));
        assert_eq!(limits.admit("another", HOME, at(60)), Ok(()));
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        let limits = limits();
        for host in 0..20 {
            limits.admit(&host.to_string(), Some(address(&format!("2001:db8:0:1::{host}"))), at(0)).unwrap();
        }
        assert_eq!(limits.admit("another", Some(address("2001:db8:0:1:ffff::1")), at(0)), wait(60));
        assert_eq!(limits.admit("another", Some(address("2001:db8:0:2::1")), at(0)), Ok(()));
    }
}
