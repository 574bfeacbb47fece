//! E-mail addresses by user id, looked up on the way in the export's own snapshot.
//!
//! A join would cost the stable order its index, and a copy of all users would cost memory; so each batch of rows asks
//! for the addresses that no batch before it has asked for.

use std::collections::HashMap;

use diesel::QueryResult;
use foldhash::fast::RandomState;

use crate::db::Connection;
use crate::models::user;

/// The most addresses that are remembered; beyond them it begins afresh, so that memory stays flat.
const MOST: usize = 100_000;

/// Addresses that were looked up.
#[derive(Default)]
pub struct Emails {
    known: HashMap<i64, Box<str>, RandomState>,
    /// Who was wanted last: rows that follow each other are often of one person.
    last: Option<i64>,
    missing: Vec<i64>,
}

impl Emails {
    /// Notes that this user's address will be asked for.
    pub fn want(&mut self, user_id: i64) {
        if self.last.replace(user_id) != Some(user_id) && !self.known.contains_key(&user_id) {
            self.missing.push(user_id);
        }
    }

    /// Whether an address that is wanted has to be looked up.
    pub fn is_missing_any(&self) -> bool {
        !self.missing.is_empty()
    }

    /// Looks up what is wanted.
    pub async fn look_up(&mut self, conn: &mut Connection) -> QueryResult<()> {
        self.missing.sort_unstable();
        self.missing.dedup();
        let found = user::emails(conn, &self.missing).await?;
        self.missing.clear();
        self.known.extend(found.into_iter().map(|(id, email)| (id, email.into_boxed_str())));
        Ok(())
    }

    /// The address of a user who was wanted.
    pub fn get(&self, user_id: i64) -> Option<&str> {
        self.known.get(&user_id).map(AsRef::as_ref)
    }

    /// Forgets what no longer fits in; to be called between batches.
    pub fn trim(&mut self) {
        if self.known.len() > MOST {
            self.known.clear();
            self.last = None;
        }
    }
}
