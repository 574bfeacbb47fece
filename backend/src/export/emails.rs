//! Looks up e-mail addresses by user id while an export runs, in the same database snapshot.
//!
//! With a join, the stable order could not use its index, and a copy of all users would cost memory. So each
//! batch of rows queries the addresses that are not in the cache.

use std::collections::HashMap;

use diesel::QueryResult;
use foldhash::fast::RandomState;

use crate::db::Connection;
use crate::models::user;

/// The maximum number of cached addresses. The cache is cleared when it is exceeded, to bound memory.
const CACHE_CAPACITY: usize = 100_000;

/// A cache of e-mail addresses.
#[derive(Default)]
pub struct Emails {
    cached: HashMap<i64, Box<str>, RandomState>,
    /// The user who was requested last: consecutive rows often belong to the same person.
    last_requested: Option<i64>,
    missing: Vec<i64>,
}

impl Emails {
    /// Adds this user to the next lookup unless the address is cached.
    pub fn request(&mut self, user_id: i64) {
        if self.last_requested.replace(user_id) != Some(user_id) && !self.cached.contains_key(&user_id) {
            self.missing.push(user_id);
        }
    }

    /// Whether a requested address has to be looked up.
    pub fn is_missing_any(&self) -> bool {
        !self.missing.is_empty()
    }

    /// Looks up the requested addresses that are missing.
    pub async fn look_up(&mut self, conn: &mut Connection) -> QueryResult<()> {
        self.missing.sort_unstable();
        self.missing.dedup();
        let found = user::emails(conn, &self.missing).await?;
        self.missing.clear();
        self.cached.extend(found.into_iter().map(|(id, email)| (id, email.into_boxed_str())));
        Ok(())
    }

    /// The address of a user who was requested.
    pub fn get(&self, user_id: i64) -> Option<&str> {
        self.cached.get(&user_id).map(AsRef::as_ref)
    }

    /// Clears the cache if it exceeds its capacity. Must only be called between batches.
    pub fn trim(&mut self) {
        if self.cached.len() > CACHE_CAPACITY {
            self.cached.clear();
            self.last_requested = None;
        }
    }
}
