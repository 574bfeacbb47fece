//! File formats of an export, and how its cells are written.

use serde::{Deserialize, Serialize};

use crate::text::Text;

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    /// Comma-separated values (RFC 4180).
    Csv,
    /// One JSON array of objects.
    Json,
    /// One JSON object a line.
    Ndjson,
    /// An Excel workbook.
    Xlsx,
    /// An Apache Parquet file.
    Parquet,
}

impl ExportFormat {
    /// Every format that has a name.
    pub const ALL: [Self; 5] = [Self::Csv, Self::Json, Self::Ndjson, Self::Xlsx, Self::Parquet];
    /// The formats that this version writes.
    pub const AVAILABLE: [Self; 3] = [Self::Csv, Self::Json, Self::Ndjson];

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

    /// The format that has this name and can be written.
    pub fn parse(key: &str) -> Option<Self> {
        Self::AVAILABLE.into_iter().find(|format| format.key() == key)
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

/// What stands in the first line of a CSV file.
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

/// What stands between two CSV cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Delimiter {
    /// `,`
    #[default]
    #[serde(rename = ",")]
    Comma,
    /// `;`, which spreadsheets expect where the decimal mark is a comma.
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

    /// The delimiter that is this character.
    pub fn parse(character: &str) -> Option<Self> {
        match character {
            "," => Some(Self::Comma),
            ";" => Some(Self::Semicolon),
            _ => None,
        }
    }
}

/// What stands before a number's fraction in a CSV cell.
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

    /// The mark that is this character.
    pub fn parse(character: &str) -> Option<Self> {
        match character {
            "." => Some(Self::Point),
            "," => Some(Self::Comma),
            _ => None,
        }
    }
}

/// How a CSV file is laid out; the JSON formats pass over it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CsvLayout {
    /// The first line.
    pub headers: Headers,
    /// Between cells.
    pub delimiter: Delimiter,
    /// Before a fraction.
    pub decimal: Decimal,
    /// Whether the file begins with a byte order mark, as Excel likes it.
    pub bom: Bom,
}

/// Whether a CSV file begins with a UTF-8 byte order mark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Bom {
    /// It does not.
    #[default]
    Without,
    /// It does.
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

    /// What a caller means by `bom=`.
    pub fn parse(value: &str) -> Option<Self> {
        match value {
            "0" | "false" => Some(Self::Without),
            "1" | "true" => Some(Self::With),
            _ => None,
        }
    }
}

/// Says in both languages which formats can be written.
pub const ACCEPTED_FORMATS: Text =
    Text::new("Se acepta csv, json o ndjson.", "Accepted: csv, json or ndjson.");
