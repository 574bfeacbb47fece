//! The demo academy: fictional people who learn, practise and buy, so that the Hub has something to show.
//!
//! The same seed and time always generate the same academy, except for the passwords, which are random.

mod academy;
mod calendar;
mod catalog;
mod curriculum;
mod events;
mod history;
mod ids;
mod names;
mod orders;
mod people;
mod practices;
mod requests;
mod seat;
pub mod sign_in;
mod submissions;
mod viewing;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use diesel::QueryResult;
use diesel_async::AsyncConnection as _;

use crate::auth::password::Passwords;
use crate::db::Connection;
use crate::models::course::LessonRow;
use crate::models::seeding;
use crate::models::user::User;
use academy::Academy;
use sign_in::SignIn;

/// The size, the time and the time zone of the academy.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The number of students.
    pub students: usize,
    /// The number of player events.
    pub events: usize,
    /// The seed of the random number generator.
    pub seed: u64,
    /// The present, at which the academy's history ends.
    pub now: DateTime<Utc>,
    pub zone: Tz,
}

/// Why the academy was not created.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Real data must not be mixed with demo data.
    #[error("the database is not empty: the demo academy needs an empty database")]
    NotEmpty,
    /// The academy could not be stored.
    #[error("failed to store the demo academy")]
    Database(#[from] diesel::result::Error),
    /// An event of the academy broke a rule, which its generator should know.
    #[error("an event of the demo academy was refused: {0}")]
    Refused(&'static str),
    /// A password could not be hashed.
    #[error("failed to hash the passwords of the demo academy")]
    Passwords(#[source] anyhow::Error),
}

/// Whether the database is empty, so that the demo academy may be stored in it.
pub async fn is_database_empty(conn: &mut Connection) -> Result<bool, DemoError> {
    Ok(seeding::is_database_empty(conn).await?)
}

/// The first lesson of the demo academy, or `None` if the database does not hold the demo academy.
pub async fn first_lesson(conn: &mut Connection) -> QueryResult<Option<LessonRow>> {
    if User::exists_with_email(conn, sign_in::ADMIN).await? { LessonRow::first(conn).await } else { Ok(None) }
}

/// Fills an empty database. Returns the sign-ins with their passwords, which are stored only as hashes.
pub async fn fill(
    conn: &mut Connection,
    passwords: &Passwords,
    options: Options,
) -> Result<Vec<SignIn>, DemoError> {
    if !is_database_empty(conn).await? {
        return Err(DemoError::NotEmpty);
    }
    let sign_ins = SignIn::generate(passwords).await.map_err(DemoError::Passwords)?;
    conn.transaction(async |conn| {
        seeding::lock_tables(conn).await?;
        if !is_database_empty(conn).await? {
            return Err(DemoError::NotEmpty);
        }
        let academy = Academy::generate(conn, options).await?;
        academy.store(conn, options.now).await?;
        for sign_in in &sign_ins {
            sign_in.store(conn).await?;
        }
        Ok(())
    })
    .await?;
    // Outside the transaction, because statistics are of no use before the rows are committed.
    seeding::analyze(conn).await?;
    Ok(sign_ins.into_iter().map(|hashed| hashed.sign_in).collect())
}
