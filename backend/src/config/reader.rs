//! Asks for one setting after the other and remembers all that is wrong with them.

use std::collections::HashMap;
use std::io;

use super::Config;
use super::kind::Kind;

/// The variables that settings are read from: a copy, so that nothing changes under our feet.
#[derive(Clone, Default)]
pub struct Variables(HashMap<String, String>);

impl Variables {
    /// The variables of this process; one that is not Unicode reads as text that nothing accepts.
    pub fn of_the_process() -> Self {
        let text = |value: std::ffi::OsString| value.to_string_lossy().into_owned();
        Self(std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect())
    }

    /// Sets what is not set yet.
    #[must_use]
    pub fn with_default(mut self, name: &str, value: String) -> Self {
        if self.get(name).is_none() {
            self.0.insert(name.to_owned(), value);
        }
        self
    }

    /// The value of a variable; an empty one counts as not set.
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Variables {
    fn from(pairs: [(&str, &str); N]) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

/// What there is to know of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The variable's name.
    pub name: &'static str,
    /// What holds when it is not set.
    pub default: Option<&'static str>,
    /// What is accepted, as the end of a sentence.
    pub accepts: String,
    /// What it means, as a sentence.
    pub meaning: &'static str,
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Some settings are wrong; each line names one and says what is accepted.
    #[error("{}", .0.join("\n"))]
    Wrong(Vec<String>),
    /// The application key in the data directory can be neither read nor made.
    #[error("cannot keep the application key in {path}: {source}")]
    AppKey {
        /// The key's file.
        path: String,
        /// Why.
        source: io::Error,
    },
}

/// Reads settings from variables, and keeps a list of what was asked for and of what was wrong.
///
/// The value of a wrong setting is never repeated: it could be a secret.
pub struct Reader {
    variables: Variables,
    asked: Vec<Setting>,
    wrong: Vec<String>,
}

impl Reader {
    /// Reads from these variables.
    pub fn new(variables: Variables) -> Self {
        Self { variables, asked: Vec::new(), wrong: Vec::new() }
    }

    /// A setting that may be missing.
    pub fn optional<T: 'static>(
        &mut self,
        name: &'static str,
        kind: Kind<T>,
        meaning: &'static str,
    ) -> Option<T> {
        let read = match self.variables.get(name).map(|text| kind.parse(text)) {
            None => None,
            Some(Some(value)) => Some(value),
            Some(None) => {
                self.refuse(name, &format!("accepts {}", kind.accepts));
                None
            }
        };
        self.asked.push(Setting { name, default: None, accepts: kind.accepts, meaning });
        read
    }

    /// A setting that has a default.
    pub fn setting<T: 'static>(
        &mut self,
        name: &'static str,
        default: &'static str,
        kind: Kind<T>,
        meaning: &'static str,
    ) -> T {
        let read = self.variables.get(name).map(|text| kind.parse(text));
        if let Some(None) = read {
            self.refuse(name, &format!("accepts {}", kind.accepts));
        }
        let value = read.flatten().or_else(|| kind.parse(default));
        self.asked.push(Setting { name, default: Some(default), accepts: kind.accepts, meaning });
        value.expect("every default is accepted by its own setting")
    }

    /// Remembers that a setting is wrong, and how.
    pub fn refuse(&mut self, name: &str, why: &str) {
        self.wrong.push(format!("{name} {why}"));
    }

    /// Whether nothing was wrong so far.
    pub fn is_content(&self) -> bool {
        self.wrong.is_empty()
    }

    /// What was read, if nothing was wrong.
    pub fn finish<T>(self, read: T) -> Result<T, ConfigError> {
        if self.wrong.is_empty() { Ok(read) } else { Err(ConfigError::Wrong(self.wrong)) }
    }
}

/// Every setting, in the order in which they are read.
pub fn settings() -> Vec<Setting> {
    let mut reader = Reader::new(Variables::default());
    Config::read(&mut reader);
    reader.asked
}
