//! The content of notifications about the hub itself.
//!
//! Only the data of a notification is stored. Its text is composed when it is read or mailed, in the
//! recipient's language and time zone.

pub mod texts;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use domain::Driver;
use domain::access::Role;
use domain::text::Locale;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::hub::Hub;
use crate::models::user::User;

/// The roles that are notified when the hub needs attention.
pub const OPERATOR_ROLES: [Role; 2] = [Role::Admin, Role::TeacherAdmin];

/// What a notification reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotificationContent {
    /// Too many events are pending, or one has been pending for too long.
    Backlog(Backlog),
    /// The backlog is below its limits again after an alarm.
    BacklogResolved(BacklogResolved),
    /// Analytics services reject every event.
    Refusing(Refusing),
    /// No service rejects every event any more, after an alarm.
    RefusingResolved(RefusingResolved),
}

/// The size of the backlog, and the limits that raise the alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Backlog {
    /// The number of pending events.
    pub events: i64,
    /// When the oldest pending event reached the hub.
    pub oldest: Option<DateTime<Utc>>,
    pub counted_at: DateTime<Utc>,
    /// The number of pending events that raises the alarm.
    pub threshold: u64,
    /// The age of a pending event that raises the alarm.
    pub age_minutes: u64,
}

/// The size of the backlog when the alarm ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BacklogResolved {
    /// The number of pending events.
    pub events: i64,
    pub counted_at: DateTime<Utc>,
}

/// The services that rejected every event in the last run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusing {
    pub drivers: Vec<Driver>,
    pub found_at: DateTime<Utc>,
}

/// No service rejects every event any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefusingResolved {
    pub found_at: DateTime<Utc>,
}

/// The language and the time zone that a notification is formatted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DisplayPreferences {
    pub locale: Locale,
    pub zone: Tz,
}

impl DisplayPreferences {
    /// The user's preferences, or the hub's defaults where the user has none.
    pub fn of(user: &User, hub: &Hub) -> Self {
        Self {
            locale: user.locale.as_deref().and_then(Locale::parse).unwrap_or(hub.locale),
            zone: user.timezone.as_deref().and_then(|name| name.parse().ok()).unwrap_or(hub.timezone),
        }
    }
}

const BACKLOG: &str = "telemetry_backlog";
const BACKLOG_RESOLVED: &str = "telemetry_backlog_gone";
const REFUSING: &str = "telemetry_refusing";
const REFUSING_RESOLVED: &str = "telemetry_refusing_gone";

impl NotificationContent {
    /// The kind under which it is stored.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Backlog(_) => BACKLOG,
            Self::BacklogResolved(_) => BACKLOG_RESOLVED,
            Self::Refusing(_) => REFUSING,
            Self::RefusingResolved(_) => REFUSING_RESOLVED,
        }
    }

    /// The kinds of earlier notifications that this one makes obsolete.
    pub const fn supersedes(&self) -> &'static [&'static str] {
        match self {
            Self::Backlog(_) | Self::BacklogResolved(_) => &[BACKLOG, BACKLOG_RESOLVED],
            Self::Refusing(_) | Self::RefusingResolved(_) => &[REFUSING, REFUSING_RESOLVED],
        }
    }

    /// The data that is stored with it.
    pub fn data(&self) -> Value {
        let data = match self {
            Self::Backlog(backlog) => serde_json::to_value(backlog),
            Self::BacklogResolved(resolved) => serde_json::to_value(resolved),
            Self::Refusing(refusing) => serde_json::to_value(refusing),
            Self::RefusingResolved(resolved) => serde_json::to_value(resolved),
        };
        data.expect("numbers, names and dates always serialize to JSON")
    }

    /// Reads the content of a stored notification. Returns `None` if a newer version of the hub wrote it.
    pub fn from_stored(kind: &str, data: &Value) -> Option<Self> {
        match kind {
            BACKLOG => parse(data).map(Self::Backlog),
            BACKLOG_RESOLVED => parse(data).map(Self::BacklogResolved),
            REFUSING => parse(data).map(Self::Refusing),
            REFUSING_RESOLVED => parse(data).map(Self::RefusingResolved),
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
    fn stored_content_is_read_back_unchanged() {
        let counted_at = DateTime::UNIX_EPOCH;
        let contents = [
            NotificationContent::Backlog(Backlog {
                events: 1,
                oldest: Some(counted_at),
                counted_at,
                threshold: 2,
                age_minutes: 3,
            }),
            NotificationContent::BacklogResolved(BacklogResolved { events: 0, counted_at }),
            NotificationContent::Refusing(Refusing { drivers: Driver::ALL.to_vec(), found_at: counted_at }),
            NotificationContent::RefusingResolved(RefusingResolved { found_at: counted_at }),
        ];
        for content in contents {
            assert_eq!(NotificationContent::from_stored(content.kind(), &content.data()), Some(content));
        }
        assert_eq!(NotificationContent::from_stored("unknown_kind", &Value::Null), None);
    }
}
