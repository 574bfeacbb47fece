//! Looks up e-mail addresses and names by id while an export runs, in the same database snapshot.
//!
//! With a join, the stable order could not use its index, and a copy of a whole table would cost memory. So each batch of
//! rows queries what is not in the cache.

use std::collections::HashMap;

use diesel::QueryResult;
use domain::Locale;
use domain::dataset::NameKind;
use foldhash::fast::RandomState;

use crate::db::Connection;
use crate::models::{course, user};

/// The maximum number of cached texts of each kind. The cache is cleared when it is exceeded, to bound memory.
const CACHE_CAPACITY: usize = 100_000;

/// What is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// The e-mail address of a user.
    Email,
    /// The name of a user, a course or a lesson.
    Name(NameKind),
}

impl Lookup {
    const ALL: [Self; 4] = [
        Self::Email,
        Self::Name(NameKind::Person),
        Self::Name(NameKind::Course),
        Self::Name(NameKind::Lesson),
    ];

    const fn index(self) -> usize {
        match self {
            Self::Email => 0,
            Self::Name(NameKind::Person) => 1,
            Self::Name(NameKind::Course) => 2,
            Self::Name(NameKind::Lesson) => 3,
        }
    }

    async fn query(
        self,
        conn: &mut Connection,
        ids: &[i64],
        locale: Locale,
    ) -> QueryResult<Vec<(i64, String)>> {
        match self {
            Self::Email => user::emails(conn, ids).await,
            Self::Name(NameKind::Person) => user::names(conn, ids).await,
            Self::Name(NameKind::Course) => course::titles(conn, ids, locale).await,
            Self::Name(NameKind::Lesson) => course::lesson_titles(conn, ids).await,
        }
    }
}

/// Caches of what was looked up.
pub struct Lookups {
    /// The language of courses' titles.
    locale: Locale,
    caches: [Cache; Lookup::ALL.len()],
}

#[derive(Default)]
struct Cache {
    found: HashMap<i64, Box<str>, RandomState>,
    /// The id that was requested last: consecutive rows often have the same.
    last_requested: Option<i64>,
    missing: Vec<i64>,
}

impl Lookups {
    /// Empty caches. Courses have titles in this language.
    pub fn new(locale: Locale) -> Self {
        Self { locale, caches: Default::default() }
    }

    /// Adds this id to the next lookup unless it is cached.
    pub fn request(&mut self, lookup: Lookup, id: i64) {
        let cache = &mut self.caches[lookup.index()];
        if cache.last_requested.replace(id) != Some(id) && !cache.found.contains_key(&id) {
            cache.missing.push(id);
        }
    }

    /// Looks up the requested ids that are missing.
    pub async fn look_up(&mut self, conn: &mut Connection) -> QueryResult<()> {
        for lookup in Lookup::ALL {
            let Cache { found, missing, .. } = &mut self.caches[lookup.index()];
            if missing.is_empty() {
                continue;
            }
            missing.sort_unstable();
            missing.dedup();
            let texts = lookup.query(conn, missing, self.locale).await?;
            missing.clear();
            found.extend(texts.into_iter().map(|(id, text)| (id, text.into_boxed_str())));
        }
        Ok(())
    }

    /// What was found for an id that was requested.
    pub fn get(&self, lookup: Lookup, id: i64) -> Option<&str> {
        self.caches[lookup.index()].found.get(&id).map(AsRef::as_ref)
    }

    /// Clears caches that exceed their capacity. Must only be called between batches.
    pub fn trim(&mut self) {
        for cache in &mut self.caches {
            if cache.found.len() > CACHE_CAPACITY {
                *cache = Cache::default();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lookup_has_a_cache_of_its_own() {
        for (index, lookup) in Lookup::ALL.into_iter().enumerate() {
            assert_eq!(lookup.index(), index);
        }
    }
}
