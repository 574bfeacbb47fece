//! What content that is not accepted probably is.

use domain::text::{Phrase, Text};

/// The probable encoding of text that is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LikelyEncoding {
    Windows1252,
    MacRoman,
    Unknown,
}

impl LikelyEncoding {
    /// Guesses the encoding from a text of which the first byte is not UTF-8.
    pub fn of(bytes: &[u8]) -> Self {
        let is_any = |wanted: fn(&u8) -> bool| bytes.iter().any(wanted);
        // The letters á, é and ú in Mac OS Roman. In Windows-1252, these bytes are rare characters.
        if is_any(|byte| matches!(byte, 0x87 | 0x8e | 0x9c)) && !is_any(|byte| *byte >= 0xa0) {
            Self::MacRoman
        } else if is_any(|byte| matches!(byte, 0x81 | 0x8d | 0x8f | 0x90 | 0x9d | 0xff)) {
            // Not assigned in Windows-1252, or in no text.
            Self::Unknown
        } else {
            Self::Windows1252
        }
    }

    const fn name(self) -> Option<&'static str> {
        match self {
            Self::Windows1252 => Some("Windows-1252"),
            Self::MacRoman => Some("Mac OS Roman"),
            Self::Unknown => None,
        }
    }

    /// Says that a line is not UTF-8.
    pub fn phrase(self, line: i64) -> Phrase {
        match self.name() {
            Some(encoding) => Phrase::new(
                format!(
                    "La línea {line} no está en UTF-8, sino probablemente en {encoding}. Guarda el archivo \
                     como «CSV UTF-8»."
                ),
                format!(
                    "Line {line} is not in UTF-8, but probably in {encoding}. Save the file as “CSV UTF-8”."
                ),
            ),
            None => Phrase::new(
                format!(
                    "La línea {line} contiene bytes que no son texto. Guarda el archivo como «CSV UTF-8»."
                ),
                format!("Line {line} contains bytes that are not text. Save the file as “CSV UTF-8”."),
            ),
        }
    }
}

/// A type of content that is detected but not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentKind {
    /// A binary Office document, such as an old Excel workbook.
    OldOffice,
    /// A PDF document.
    Pdf,
    /// A gzip-compressed file.
    Gzip,
    /// Text in UTF-16.
    Utf16,
    /// Any other content that is not text.
    Binary,
}

impl ContentKind {
    /// What it is, for messages.
    pub const fn name(self) -> Text {
        match self {
            Self::OldOffice => Text::new("un documento antiguo de Office", "an old Office document"),
            Self::Pdf => Text::new("un documento PDF", "a PDF document"),
            Self::Gzip => Text::new("un archivo comprimido con gzip", "a gzip-compressed file"),
            Self::Utf16 => Text::new(
                "texto en UTF-16 sin marca de orden de bytes",
                "text in UTF-16 without a byte order mark",
            ),
            Self::Binary => Text::new("un archivo que no es texto", "a file that is not text"),
        }
    }
}
