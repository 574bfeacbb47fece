//! What the hub tells its people of itself, and in which words.
//!
//! A notification keeps what its words are made of; the words are found when somebody reads them, in the language and
//! the time zone of whoever reads.

pub mod words;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use domain::access::Role;
use domain::text::Locale;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::hub::Hub;
use crate::models::driver::Driver;
use crate::models::user::User;

/// Who is told when something about the hub itself needs somebody.
pub const OPERATORS: [Role; 2] = [Role::Admin, Role::TeacherAdmin];

/// Something to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Too many events wait for the analytics services, or one waits for too long.
    Backlog(Backlog),
    /// After such an alarm, so few wait again, and so briefly, that there is no cause for one.
    BacklogGone(BacklogGone),
    /// Analytics services refuse whatever they are sent.
    Refusing(Refusing),
    /// After such an alarm, none does so any more.
    RefusingGone(RefusingGone),
}

/// How many events waited, and what raises the alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Backlog {
    /// So many waited.
    pub events: i64,
    /// The first of them reached the hub then.
    pub oldest: Option<DateTime<Utc>>,
    /// When this was counted.
    pub counted_at: DateTime<Utc>,
    /// So many raise the alarm.
    pub threshold: u64,
    /// One as old as this raises it.
    pub age_minutes: u64,
}

/// How many events still waited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BacklogGone {
    /// So many.
    pub events: i64,
    /// When this was counted.
    pub counted_at: DateTime<Utc>,
}

/// Which services refused whatever they were sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusing {
    /// The services.
    pub drivers: Vec<Driver>,
    /// When this was found.
    pub found_at: DateTime<Utc>,
}

/// No service refuses whatever it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefusingGone {
    /// When this was found.
    pub found_at: DateTime<Utc>,
}

/// In whose language and time zone something is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reader {
    /// The language.
    pub locale: Locale,
    /// The time zone.
    pub zone: Tz,
}

impl Reader {
    /// As the user chose, else as the hub has it.
    pub fn of(user: &User, hub: &Hub) -> Self {
        Self {
            locale: user.locale.as_deref().and_then(Locale::parse).unwrap_or(hub.locale),
            zone: user.timezone.as_deref().and_then(|name| name.parse().ok()).unwrap_or(hub.timezone),
        }
    }
}

const BACKLOG: &str = "telemetry_backlog";
const BACKLOG_GONE: &str = "telemetry_backlog_gone";
const REFUSING: &str = "telemetry_refusing";
const REFUSING_GONE: &str = "telemetry_refusing_gone";

impl Notice {
    /// What it is about, as notifications have it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Backlog(_) => BACKLOG,
            Self::BacklogGone(_) => BACKLOG_GONE,
            Self::Refusing(_) => REFUSING,
            Self::RefusingGone(_) => REFUSING_GONE,
        }
    }

    /// The kinds of notices that nobody need read who reads this one: they told how things stood before.
    pub const fn supersedes(&self) -> &'static [&'static str] {
        match self {
            Self::Backlog(_) | Self::BacklogGone(_) => &[BACKLOG, BACKLOG_GONE],
            Self::Refusing(_) | Self::RefusingGone(_) => &[REFUSING, REFUSING_GONE],
        }
    }

    /// What its words are made of, as notifications have it.
    pub fn data(&self) -> Value {
        let data = match self {
            Self::Backlog(backlog) => serde_json::to_value(backlog),
            Self::BacklogGone(gone) => serde_json::to_value(gone),
            Self::Refusing(refusing) => serde_json::to_value(refusing),
            Self::RefusingGone(gone) => serde_json::to_value(gone),
        };
        data.expect("numbers and dates are JSON")
    }

    /// The notice of a notification; nothing where a newer version of the hub wrote it.
    pub fn read(kind: &str, data: &Value) -> Option<Self> {
        match kind {
            BACKLOG => parse(data).map(Self::Backlog),
            BACKLOG_GONE => parse(data).map(Self::BacklogGone),
            REFUSING => parse(data).map(Self::Refusing),
            REFUSING_GONE => parse(data).map(Self::RefusingGone),
            _ => None,
        }
    }
}

fn parse<T: DeserializeOwned>(data: &Value) -> Option<T> {
    T::deserialize(data).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_read_as_it_was_kept() {
        let counted_at = DateTime::UNIX_EPOCH;
        let kept = [
            Notice::Backlog(Backlog {
                events: 1,
                oldest: Some(counted_at),
                counted_at,
                threshold: 2,
                age_minutes: 3,
            }),
            Notice::BacklogGone(BacklogGone { events: 0, counted_at }),
            Notice::Refusing(Refusing { drivers: Driver::ALL.to_vec(), found_at: counted_at }),
            Notice::RefusingGone(RefusingGone { found_at: counted_at }),
        ];
        for notice in kept {
            assert_eq!(Notice::read(notice.kind(), &notice.data()), Some(notice));
        }
        assert_eq!(Notice::read("of_next_year", &Value::Null), None);
    }
}
