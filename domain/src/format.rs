//! File formats of an export, and how its cells are written.

use serde::{Deserialize, Serialize};

use crate::text::Locale;

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum))]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    /// Comma-separated values (RFC 4180).
    Csv,
    /// A JSON array of objects.
    Json,
    /// One JSON object per line.
    Ndjson,
    /// An Excel workbook.
    Xlsx,
    /// An Apache Parquet file.
    Parquet,
}

impl ExportFormat {
    /// Every format.
    pub const ALL: [Self; 5] = [Self::Csv, Self::Json, Self::Ndjson, Self::Xlsx, Self::Parquet];

    /// The name in URLs and on the command line, which is also the file's extension.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Xlsx => "xlsx",
            Self::Parquet => "parquet",
        }
    }

    /// The format with this name.
    pub fn parse(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.key() == key)
    }

    /// The media type of the file.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }
}

/// The header line of a CSV file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Headers {
    /// The columns' titles in the chosen language.
    #[default]
    Labels,
    /// The columns' keys, for machines.
    Keys,
}

impl Headers {
    /// The name in URLs and on the command line.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Labels => "labels",
            Self::Keys => "keys",
        }
    }

    /// The kind of header with this name.
    pub fn parse(key: &str) -> Option<Self> {
        [Self::Labels, Self::Keys].into_iter().find(|headers| headers.key() == key)
    }
}

/// The character between two CSV cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Delimiter {
    /// `,`
    #[default]
    #[serde(rename = ",")]
    Comma,
    /// `;`, which spreadsheets expect in locales with a decimal comma.
    #[serde(rename = ";")]
    Semicolon,
}

impl Delimiter {
    /// The character.
    pub const fn character(self) -> char {
        match self {
            Self::Comma => ',',
            Self::Semicolon => ';',
        }
    }

    /// What spreadsheets in this language expect, since a decimal comma cannot be a delimiter too.
    pub const fn usual_in(locale: Locale) -> Self {
        match locale {
            Locale::Es => Self::Semicolon,
            Locale::En => Self::Comma,
        }
    }

    /// The delimiter that is this character.
    pub fn parse(character: &str) -> Option<Self> {
        match character {
            "," => Some(Self::Comma),
            ";" => Some(Self::Semicolon),
            _ => None,
        }
    }
}

/// The decimal mark of numbers in CSV cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Decimal {
    /// `.`
    #[default]
    #[serde(rename = ".")]
    Point,
    /// `,`
    #[serde(rename = ",")]
    Comma,
}

impl Decimal {
    /// The character.
    pub const fn character(self) -> char {
        match self {
            Self::Point => '.',
            Self::Comma => ',',
        }
    }

    /// What spreadsheets in this language expect.
    pub const fn usual_in(locale: Locale) -> Self {
        match locale {
            Locale::Es => Self::Comma,
            Locale::En => Self::Point,
        }
    }

    /// The mark that is this character.
    pub fn parse(character: &str) -> Option<Self> {
        match character {
            "." => Some(Self::Point),
            "," => Some(Self::Comma),
            _ => None,
        }
    }
}

/// Whether a file has the names of people, courses and lessons beside their ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Names {
    /// Ids only.
    #[default]
    Without,
    /// With names.
    With,
}

impl Names {
    /// The value of `names=` in URLs.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Without => "0",
            Self::With => "1",
        }
    }

    /// The meaning of a value of `names=`.
    pub fn parse(value: &str) -> Option<Self> {
        parse_flag(value).map(|is_with| if is_with { Self::With } else { Self::Without })
    }
}

/// The layout of a CSV file. Workbooks have its headers, and the other formats ignore it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CsvLayout {
    pub headers: Headers,
    pub delimiter: Delimiter,
    pub decimal: Decimal,
    pub bom: Bom,
}

/// Whether a CSV file starts with a UTF-8 byte order mark, by which Excel recognizes UTF-8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Bom {
    /// Without the mark.
    #[default]
    Without,
    /// With the mark.
    With,
}

impl Bom {
    /// The value of `bom=` in URLs.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Without => "0",
            Self::With => "1",
        }
    }

    /// The meaning of a value of `bom=`.
    pub fn parse(value: &str) -> Option<Self> {
        parse_flag(value).map(|is_with| if is_with { Self::With } else { Self::Without })
    }
}

/// The value of an option that is on or off.
fn parse_flag(value: &str) -> Option<bool> {
    match value {
        "0" | "false" => Some(false),
        "1" | "true" => Some(true),
        _ => None,
    }
}
