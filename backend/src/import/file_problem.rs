//! Why a file as a whole is not taken.

use domain::text::{Phrase, Text};

/// What is wrong with a file, in terms of whoever made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileProblem {
    /// It holds nothing.
    Empty,
    /// It has more rows than this.
    TooManyRows(u64),
    /// Its content is not of a kind that is taken.
    WrongKind(Kind),
    /// The row that begins in this line is not UTF-8.
    NotUtf8(i64),
    /// The row that begins in this line holds a null character.
    NullCharacter(i64),
    /// A quote in the row that begins in this line is never closed.
    UnclosedQuote(i64),
    /// The row that begins in this line is longer than this many bytes.
    RowTooLong(i64, usize),
    /// Columns that the dataset does not have.
    UnknownColumns {
        /// As the file names them.
        names: Vec<String>,
        /// What it might have named.
        accepted: &'static [&'static str],
    },
    /// Two columns of the file are this one.
    RepeatedColumn(&'static str),
    /// This column must be there.
    MissingColumn(&'static str),
}

/// A kind of content that is recognised and not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A ZIP archive, which an Excel workbook is too.
    Zip,
    /// An old Excel workbook or another old Office document.
    OldOffice,
    /// A PDF document.
    Pdf,
    /// Something compressed by gzip.
    Gzip,
    /// Text in UTF-16.
    Utf16,
    /// A JSON array.
    JsonArray,
    /// JSON objects.
    JsonObjects,
    /// Anything else that is no text.
    Binary,
}

impl Kind {
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
    /// What is wrong and what is accepted, in both languages.
    pub fn phrase(&self) -> Phrase {
        match self {
            Self::Empty => Phrase::new(
                "El archivo está vacío. Se acepta un CSV con una línea de encabezado.",
                "The file is empty. Accepted: a CSV with a header line.",
            ),
            Self::TooManyRows(most) => Phrase::new(
                format!("El archivo tiene demasiadas filas. Se aceptan hasta {most}."),
                format!("The file has too many rows. Accepted: up to {most}."),
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
                format!("The row in line {line} is not UTF-8. Save the file as “CSV UTF-8”."),
            ),
            Self::NullCharacter(line) => Phrase::new(
                format!(
                    "La fila de la línea {line} contiene un carácter nulo. Se acepta un archivo de texto."
                ),
                format!("The row in line {line} holds a null character. Accepted: a text file."),
            ),
            Self::UnclosedQuote(line) => Phrase::new(
                format!("En la fila que empieza en la línea {line} hay unas comillas sin cerrar."),
                format!("The row that begins in line {line} has a quote that is never closed."),
            ),
            Self::RowTooLong(line, most) => Phrase::new(
                format!(
                    "La fila que empieza en la línea {line} pasa de {most} bytes. ¿Hay unas comillas sin cerrar?"
                ),
                format!(
                    "The row that begins in line {line} is longer than {most} bytes. Is a quote not closed?"
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
                format!("The column {column} is there twice."),
            ),
            Self::MissingColumn(column) => {
                Phrase::new(format!("Falta la columna {column}."), format!("The column {column} is missing."))
            }
        }
    }
}
