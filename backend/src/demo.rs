//! The demo academy: made-up people who learn, practise and buy, so that there is something to see.
//!
//! It is the same for the same seed and moment, but for the passwords, which nobody could guess.

mod academy;
mod calendar;
mod catalog;
mod curriculum;
mod history;
mod ids;
mod names;
mod orders;
mod people;
mod practices;
mod requests;
mod seat;
pub mod sign_in;
mod snapshots;
mod submissions;
mod viewing;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use diesel::QueryResult;
use diesel_async::AsyncConnection as _;

use crate::auth::password::Passwords;
use crate::db::Connection;
use crate::models::course::LessonRow;
use crate::models::fresh;
use crate::models::user::User;
use academy::Academy;
use sign_in::SignIn;

/// How large the academy is, and when and where it is.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many students it has.
    pub students: usize,
    /// How many events the player reported of them.
    pub events: usize,
    /// What everything made up is made up from.
    pub seed: u64,
    /// The moment that its history leads up to.
    pub now: DateTime<Utc>,
    /// Where its evenings are.
    pub zone: Tz,
}

/// Why there is no academy.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Nothing real may be mixed with what is made up.
    #[error("the database is not empty: the demo academy goes into an empty one only")]
    NotEmpty,
    /// It could not be stored.
    #[error("the demo academy could not be stored")]
    Database(#[from] diesel::result::Error),
    /// A password could not be hashed.
    #[error("the passwords of the demo academy could not be made")]
    Passwords(#[source] anyhow::Error),
}

/// Whether there is nothing in the database that an academy would be mixed with.
pub async fn would_fit(conn: &mut Connection) -> Result<bool, DemoError> {
    Ok(fresh::is_empty(conn).await?)
}

/// The first lesson of the academy; nothing where this is no demo.
pub async fn lesson(conn: &mut Connection) -> QueryResult<Option<LessonRow>> {
    if User::exists_with_email(conn, sign_in::ADMIN).await? { LessonRow::first(conn).await } else { Ok(None) }
}

/// Fills an empty database, and answers with who can sign in and how: this is said once.
pub async fn fill(
    conn: &mut Connection,
    passwords: &Passwords,
    options: Options,
) -> Result<Vec<SignIn>, DemoError> {
    if !would_fit(conn).await? {
        return Err(DemoError::NotEmpty);
    }
    let sign_ins = SignIn::make(passwords).await.map_err(DemoError::Passwords)?;
    conn.transaction(async |conn| {
        fresh::lock(conn).await?;
        if !would_fit(conn).await? {
            return Err(DemoError::NotEmpty);
        }
        let academy = Academy::make_up(conn, options).await?;
        academy.store(conn, options.now).await?;
        for sign_in in &sign_ins {
            sign_in.store(conn).await?;
        }
        Ok(())
    })
    .await?;
    // Outside: statistics of a transaction that is not committed would help nobody.
    fresh::analyze(conn).await?;
    Ok(sign_ins.into_iter().map(|made| made.sign_in).collect())
}
