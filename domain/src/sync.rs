//! The sync with the analytics services: its drivers and the states of its runs.

use serde::{Deserialize, Serialize};

use crate::unknown_name::UnknownName;

/// An analytics service that player events are sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum))]
#[serde(rename_all = "snake_case")]
pub enum Driver {
    /// Google Analytics 4, by its Measurement Protocol.
    #[cfg_attr(feature = "graphql", graphql(name = "GA4"))]
    Ga4,
    /// Mixpanel.
    Mixpanel,
}

/// The state of a sync run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum))]
pub enum SyncState {
    /// In progress.
    Running,
    /// Every event that was attempted is delivered, or all of them were too old to be sent.
    Success,
    /// Some events are delivered, others are not.
    Partial,
    /// No event was delivered, though some were pending.
    Failed,
    /// Nothing was pending.
    Skipped,
}

/// What started a sync run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum))]
pub enum SyncTrigger {
    /// The schedule of the hub.
    Schedule,
    /// The command line.
    Command,
    /// A user.
    User,
}

impl Driver {
    /// Every driver.
    pub const ALL: [Self; 2] = [Self::Ga4, Self::Mixpanel];

    /// The name in the database, on the command line and in logs.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Ga4 => "ga4",
            Self::Mixpanel => "mixpanel",
        }
    }

    /// The name that people read.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Ga4 => "GA4",
            Self::Mixpanel => "Mixpanel",
        }
    }

    /// The driver with this name.
    pub fn parse(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|driver| driver.key() == key)
    }
}

impl SyncState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Running, Self::Success, Self::Partial, Self::Failed, Self::Skipped];

    /// The name in the database.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Success => "success",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    /// The state with this name.
    pub fn parse(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.key() == key)
    }
}

impl SyncTrigger {
    /// Every trigger.
    pub const ALL: [Self; 3] = [Self::Schedule, Self::Command, Self::User];

    /// The name in the database.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Command => "command",
            Self::User => "user",
        }
    }

    /// The trigger with this name.
    pub fn parse(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trigger| trigger.key() == key)
    }
}

impl TryFrom<String> for Driver {
    type Error = UnknownName;

    fn try_from(key: String) -> Result<Self, UnknownName> {
        Self::parse(&key).ok_or(UnknownName(key))
    }
}

impl TryFrom<String> for SyncState {
    type Error = UnknownName;

    fn try_from(key: String) -> Result<Self, UnknownName> {
        Self::parse(&key).ok_or(UnknownName(key))
    }
}

impl TryFrom<String> for SyncTrigger {
    type Error = UnknownName;

    fn try_from(key: String) -> Result<Self, UnknownName> {
        Self::parse(&key).ok_or(UnknownName(key))
    }
}
