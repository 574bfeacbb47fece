//! Reads the settings one by one and collects all errors.

use std::collections::HashMap;
use std::io;

use super::Config;
use super::kind::Kind;

/// A copy of the environment variables, so that changes during the run have no effect.
#[derive(Clone, Default)]
pub struct Variables(HashMap<String, String>);

impl Variables {
    /// The variables of this process. A value that is not valid Unicode becomes text that no setting accepts.
    pub fn from_env() -> Self {
        let text = |value: std::ffi::OsString| value.to_string_lossy().into_owned();
        Self(std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect())
    }

    /// Sets a variable unless it is set already.
    #[must_use]
    pub fn with_default(mut self, name: &str, value: String) -> Self {
        if self.get(name).is_none() {
            self.0.insert(name.to_owned(), value);
        }
        self
    }

    /// The value of a variable. An empty value counts as not set.
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Variables {
    fn from(pairs: [(&str, &str); N]) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

/// The declaration of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The name of the environment variable.
    pub name: &'static str,
    pub default: Option<&'static str>,
    /// The accepted values, as the end of a sentence.
    pub accepts: String,
    /// The meaning, as a sentence.
    pub meaning: &'static str,
}

/// Invalid settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Some settings are invalid. Each line names one and says what is accepted.
    #[error("{}", .0.join("\n"))]
    Invalid(Vec<String>),
    /// The application key in the data directory could not be read or created.
    #[error("Failed to read or create the application key in {path}: {source}")]
    AppKey { path: String, source: io::Error },
}

/// Reads settings from variables, and collects their declarations and all errors.
///
/// An error never repeats the invalid value, which could be a secret.
pub struct Reader {
    variables: Variables,
    declarations: Vec<Setting>,
    errors: Vec<String>,
}

impl Reader {
    /// A reader of these variables.
    pub fn new(variables: Variables) -> Self {
        Self { variables, declarations: Vec::new(), errors: Vec::new() }
    }

    /// Reads a setting without a default.
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
                self.report_error(name, &format!("must be {}", kind.accepts));
                None
            }
        };
        self.declarations.push(Setting { name, default: None, accepts: kind.accepts, meaning });
        read
    }

    /// Reads a setting with a default.
    pub fn setting<T: 'static>(
        &mut self,
        name: &'static str,
        default: &'static str,
        kind: Kind<T>,
        meaning: &'static str,
    ) -> T {
        let read = self.variables.get(name).map(|text| kind.parse(text));
        if let Some(None) = read {
            self.report_error(name, &format!("must be {}", kind.accepts));
        }
        let value = read.flatten().or_else(|| kind.parse(default));
        self.declarations.push(Setting { name, default: Some(default), accepts: kind.accepts, meaning });
        value.expect("each default is valid for its own setting")
    }

    /// Records that a setting is invalid. `reason` follows the setting's name.
    pub fn report_error(&mut self, name: &str, reason: &str) {
        self.errors.push(format!("{name} {reason}"));
    }

    /// Whether there were no errors so far.
    pub fn is_valid(&self) -> bool {
        self.errors.is_empty()
    }

    /// Returns `config`, or all errors.
    pub fn finish<T>(self, config: T) -> Result<T, ConfigError> {
        if self.errors.is_empty() { Ok(config) } else { Err(ConfigError::Invalid(self.errors)) }
    }
}

/// The declarations of all settings, in the order in which they are read.
pub fn settings() -> Vec<Setting> {
    let mut reader = Reader::new(Variables::default());
    Config::read(&mut reader);
    reader.declarations
}
