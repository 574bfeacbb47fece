//! The enums of `domain` under their GraphQL names: `TEACHER_ADMIN` is `domain::Role::TeacherAdmin`.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An enum of `domain` that is serialized as the upper-case form of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named<T>(pub T);

/// A value with a unique key.
pub trait Keyed: Copy {
    /// The key, in lower case.
    fn key(self) -> &'static str;
    /// The value with this key.
    fn find(key: &str) -> Option<Self>;
}

/// A user's role in the academy.
pub type Role = Named<domain::Role>;
/// A language.
pub type Locale = Named<domain::Locale>;
/// A dataset.
pub type Dataset = Named<domain::Dataset>;
/// A file format.
pub type ExportFormat = Named<domain::ExportFormat>;
/// What an API token grants access to.
pub type TokenScope = Named<domain::access::TokenScope>;

impl<T: Keyed> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.key().to_ascii_uppercase())
    }
}

impl<'de, T: Keyed> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        T::find(&name.to_ascii_lowercase()).map(Self).ok_or_else(|| de::Error::custom(name))
    }
}

impl Keyed for domain::Role {
    fn key(self) -> &'static str {
        self.key()
    }
    fn find(key: &str) -> Option<Self> {
        Self::parse(key)
    }
}

impl Keyed for domain::Locale {
    fn key(self) -> &'static str {
        self.tag()
    }
    fn find(key: &str) -> Option<Self> {
        Self::parse(key)
    }
}

impl Keyed for domain::Dataset {
    fn key(self) -> &'static str {
        self.key()
    }
    fn find(key: &str) -> Option<Self> {
        Self::parse(key)
    }
}

impl Keyed for domain::ExportFormat {
    fn key(self) -> &'static str {
        self.key()
    }
    fn find(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.key() == key)
    }
}

impl Keyed for domain::access::TokenScope {
    fn key(self) -> &'static str {
        self.key()
    }
    fn find(key: &str) -> Option<Self> {
        Self::parse(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_enum_is_serialized_under_its_graphql_name() {
        let role: Role = serde_json::from_str("\"TEACHER_ADMIN\"").unwrap();
        assert_eq!(role.0, domain::Role::TeacherAdmin);
        let written = serde_json::to_string(&Named(domain::Dataset::VideoPlayerEvents)).unwrap();
        assert_eq!(written, "\"VIDEO_PLAYER_EVENTS\"");
    }
}
