//! Why a file is rejected as a whole.

use domain::text::{Phrase, Text};

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileProblem {
    /// It is empty.
    Empty,
    /// It has more rows than this limit.
    TooManyRows(u64),
    /// Its content is of a type that is not accepted.
    WrongKind(ContentKind),
    /// The row that starts on this line is not valid UTF-8.
    NotUtf8(i64),
    /// The row that starts on this line contains a null character.
    NullCharacter(i64),
    /// The row that starts on this line has an unclosed quote.
    UnclosedQuote(i64),
    /// The row that starts on this line is longer than this many bytes.
    RowTooLong(i64, usize),
    /// It has columns that the dataset does not have.
    UnknownColumns {
        /// The names in the file.
        names: Vec<String>,
        /// The accepted names.
        accepted: &'static [&'static str],
    },
    /// It has this column twice.
    RepeatedColumn(&'static str),
    /// It lacks this required column.
    MissingColumn(&'static str),
}

/// A type of content that is detected but not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentKind {
    /// A ZIP archive, which includes Excel workbooks.
    Zip,
    /// A binary Office document, such as an old Excel workbook.
    OldOffice,
    /// A PDF document.
    Pdf,
    /// A gzip-compressed file.
    Gzip,
    /// Text in UTF-16.
    Utf16,
    /// A JSON array.
    JsonArray,
    /// JSON objects.
    JsonObjects,
    /// Any other content that is not text.
    Binary,
}

impl ContentKind {
    const fn name(self) -> Text {
        match self {
            Self::Zip => {
                Text::new("un archivo ZIP o un libro de Excel", "a ZIP archive or an Excel workbook")
            }
            Self::OldOffice => Text::new("un documento antiguo de Office", "an old Office document"),
            Self::Pdf => Text::new("un documento PDF", "a PDF document"),
            Self::Gzip => Text::new("un archivo comprimido con gzip", "a gzip-compressed file"),
            Self::Utf16 => Text::new("texto en UTF-16", "text in UTF-16"),
            Self::JsonArray => Text::new("un array JSON", "a JSON array"),
            Self::JsonObjects => Text::new("un archivo de objetos JSON", "a file of JSON objects"),
            Self::Binary => Text::new("un archivo que no es texto", "a file that is not text"),
        }
    }
}

impl FileProblem {
    /// Says what is wrong and what is accepted, in both languages.
    pub fn phrase(&self) -> Phrase {
        match self {
            Self::Empty => Phrase::new(
                "El archivo está vacío. Se acepta un CSV con una línea de encabezado.",
                "The file is empty. Accepted: a CSV with a header line.",
            ),
            Self::TooManyRows(limit) => Phrase::new(
                format!("El archivo tiene demasiadas filas. Se aceptan hasta {limit}."),
                format!("The file has too many rows. Accepted: up to {limit}."),
            ),
            Self::WrongKind(kind) => {
                let Text { es, en } = kind.name();
                Phrase::new(
                    format!("Es {es}. Se acepta un CSV en UTF-8, separado por comas o por punto y coma."),
                    format!("This is {en}. Accepted: a CSV in UTF-8, separated by commas or semicolons."),
                )
            }
            Self::NotUtf8(line) => Phrase::new(
                format!("La fila de la línea {line} no está en UTF-8. Guarda el archivo como «CSV UTF-8»."),
                format!("The row on line {line} is not valid UTF-8. Save the file as “CSV UTF-8”."),
            ),
            Self::NullCharacter(line) => Phrase::new(
                format!(
                    "La fila de la línea {line} contiene un carácter nulo. Se acepta un archivo de texto."
                ),
                format!("The row on line {line} contains a null character. Accepted: a text file."),
            ),
            Self::UnclosedQuote(line) => Phrase::new(
                format!("En la fila que empieza en la línea {line} hay unas comillas sin cerrar."),
                format!("The row that starts on line {line} has an unclosed quote."),
            ),
            Self::RowTooLong(line, limit) => Phrase::new(
                format!(
                    "La fila que empieza en la línea {line} supera los {limit} bytes. ¿Hay unas comillas sin cerrar?"
                ),
                format!(
                    "The row that starts on line {line} is longer than {limit} bytes. Is there an unclosed quote?"
                ),
            ),
            Self::UnknownColumns { names, accepted } => {
                let accepted = accepted.join(", ");
                Phrase::new(
                    format!("Columnas desconocidas: «{}». Se aceptan: {accepted}.", names.join("», «")),
                    format!("Unknown columns: “{}”. Accepted: {accepted}.", names.join("”, “")),
                )
            }
            Self::RepeatedColumn(column) => Phrase::new(
                format!("La columna {column} está repetida."),
                format!("Duplicate column {column}."),
            ),
            Self::MissingColumn(column) => {
                Phrase::new(format!("Falta la columna {column}."), format!("The column {column} is missing."))
            }
        }
    }
}
