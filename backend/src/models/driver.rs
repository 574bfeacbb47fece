//! The analytics services that player events are sent to.

use async_graphql::Enum;
use serde::{Deserialize, Serialize};

use super::unknown_name::UnknownName;

/// An analytics service that player events are sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Driver {
    /// Google Analytics 4, by its Measurement Protocol.
    #[graphql(name = "GA4")]
    Ga4,
    /// Mixpanel.
    #[graphql(name = "MIXPANEL")]
    Mixpanel,
}

impl Driver {
    /// Every driver.
    pub const ALL: [Self; 2] = [Self::Ga4, Self::Mixpanel];

    /// The driver's name in the database and in the log.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Ga4 => "ga4",
            Self::Mixpanel => "mixpanel",
        }
    }

    /// The driver's name as people write it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Ga4 => "GA4",
            Self::Mixpanel => "Mixpanel",
        }
    }
}

impl TryFrom<String> for Driver {
    type Error = UnknownName;

    fn try_from(key: String) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|driver| driver.key() == key).ok_or(UnknownName(key))
    }
}
