//! Why a file is rejected as a whole.

use domain::Locale;
use domain::text::{Phrase, Text};

use super::content_kind::{ContentKind, LikelyEncoding};

/// The maximum number of unknown columns that a message names.
const MAX_NAMED_COLUMNS: usize = 10;

/// The maximum length of a column's name in a message, in characters.
const MAX_NAME_CHARS: usize = 60;

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileProblem {
    /// It is empty.
    Empty,
    /// It has more rows than this limit.
    TooManyRows(u64),
    /// Its content is of a type that is not accepted.
    WrongKind(ContentKind),
    /// This line is not valid UTF-8, but probably in this encoding.
    NotUtf8(i64, LikelyEncoding),
    /// This line contains a null character.
    NullCharacter(i64),
    /// A quote that opens a cell on this line is never closed.
    UnclosedQuote(i64),
    /// On this line, a cell that is not quoted contains a quote.
    StrayQuote(i64),
    /// On this line, a cell goes on after its closing quote.
    TextAfterQuote(i64),
    /// The row that starts on this line is longer than this many bytes.
    RowTooLong(i64, usize),
    /// This row of a workbook is longer than this many bytes.
    SheetRowTooLong(i64, usize),
    /// It has columns that the dataset does not have.
    UnknownColumns {
        columns: Vec<UnknownColumn>,
        /// The accepted names.
        accepted: &'static [&'static str],
    },
    /// An object on this line has names that are no columns of the dataset.
    UnknownNames {
        line: i64,
        names: Vec<UnknownColumn>,
        /// The accepted names.
        accepted: &'static [&'static str],
    },
    /// The JSON is not valid on this line.
    InvalidJson(i64),
    /// The JSON ends before its array does.
    UnfinishedJson,
    /// After the end of the JSON array, there is something on this line.
    TextAfterArray(i64),
    /// It is a ZIP archive, but no Excel workbook.
    NotAWorkbook,
    /// It is an Excel workbook that is damaged.
    BrokenWorkbook,
    /// It is an Excel workbook that is too large when it is uncompressed.
    WorkbookTooLarge,
    /// This sheet of our own workbook has other columns than the first one.
    OtherHeader(usize),
    /// The row that starts on this line has more cells than this limit.
    TooManyColumns(i64, usize),
    /// It has this column twice.
    RepeatedColumn(&'static str),
    /// It lacks this required column.
    MissingColumn(&'static str),
}

/// A column of a file that the dataset does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownColumn {
    /// Its position in the file, from 1.
    pub position: usize,
    /// Its name in the file, which may be empty.
    pub name: String,
}

impl UnknownColumn {
    fn phrase(&self) -> Phrase {
        let Self { position, name } = self;
        if name.is_empty() {
            Phrase::new(
                format!("columna {position} (sin nombre)"),
                format!("column {position} (without a name)"),
            )
        } else {
            let name: String =
                name.chars().filter(|character| !character.is_control()).take(MAX_NAME_CHARS).collect();
            Phrase::new(format!("«{name}»"), format!("“{name}”"))
        }
    }
}

fn unknown_columns(columns: &[UnknownColumn], accepted: &[&str]) -> Phrase {
    let accepted = accepted.join(", ");
    let list = |locale| {
        let shown = columns.iter().take(MAX_NAMED_COLUMNS);
        let mut shown: Vec<String> = shown.map(|column| column.phrase().into_locale(locale)).collect();
        if columns.len() > MAX_NAMED_COLUMNS {
            shown.push("…".to_owned());
        }
        shown.join(", ")
    };
    Phrase::new(
        format!("Columnas desconocidas: {}. Se aceptan: {accepted}.", list(Locale::Es)),
        format!("Unknown columns: {}. Accepted: {accepted}.", list(Locale::En)),
    )
}

const NOT_A_WORKBOOK: Text = Text::new(
    "Es un archivo ZIP, pero no un libro de Excel (XLSX). Se acepta CSV, JSON, NDJSON o XLSX.",
    "This is a ZIP archive, but no Excel workbook (XLSX). Accepted: CSV, JSON, NDJSON, or XLSX.",
);

const BROKEN_WORKBOOK: Text = Text::new(
    "El libro de Excel está dañado. Ábrelo y guárdalo de nuevo como XLSX.",
    "The Excel workbook is damaged. Open it and save it again as XLSX.",
);

const WORKBOOK_TOO_LARGE: Text = Text::new(
    "El libro de Excel es demasiado grande. Guárdalo como «CSV UTF-8».",
    "The Excel workbook is too large. Save it as “CSV UTF-8”.",
);

const UNFINISHED_JSON: Text = Text::new(
    "El array JSON no se cierra. ¿El archivo está completo?",
    "The JSON array is never closed. Is the file complete?",
);

const EMPTY: Text = Text::new(
    "El archivo está vacío. Se acepta CSV o XLSX con un encabezado, JSON o NDJSON.",
    "The file is empty. Accepted: CSV or XLSX with a header, JSON, or NDJSON.",
);

impl FileProblem {
    /// Says what is wrong and what is accepted, in both languages.
    pub fn phrase(&self) -> Phrase {
        match self {
            Self::Empty => EMPTY.into(),
            Self::TooManyRows(limit) => Phrase::new(
                format!("El archivo tiene demasiadas filas. Se aceptan hasta {limit}."),
                format!("The file has too many rows. Accepted: up to {limit}."),
            ),
            Self::WrongKind(kind) => {
                let Text { es, en } = kind.name();
                Phrase::new(
                    format!("Es {es}. Se acepta CSV, JSON, NDJSON o un libro de Excel (XLSX)."),
                    format!("This is {en}. Accepted: CSV, JSON, NDJSON, or an Excel workbook (XLSX)."),
                )
            }
            Self::NotUtf8(line, likely) => likely.phrase(*line),
            Self::NullCharacter(line) => Phrase::new(
                format!("La línea {line} contiene un carácter nulo. Se acepta un archivo de texto."),
                format!("Line {line} contains a null character. Accepted: a text file."),
            ),
            Self::UnclosedQuote(line) => Phrase::new(
                format!("Las comillas que se abren en la línea {line} no se cierran."),
                format!("The quote that is opened on line {line} is never closed."),
            ),
            Self::StrayQuote(line) => Phrase::new(
                format!(
                    "En la línea {line} hay comillas dentro de una celda sin comillas. Se acepta la celda entre \
                     comillas, con las de dentro duplicadas: \"dijo \"\"hola\"\"\"."
                ),
                format!(
                    "On line {line}, a cell without quotes contains a quote. Accepted: the cell in quotes, with \
                     those inside doubled: \"said \"\"hello\"\"\"."
                ),
            ),
            Self::TextAfterQuote(line) => Phrase::new(
                format!(
                    "En la línea {line} hay texto tras las comillas que cierran una celda. ¿Se abrieron unas \
                     comillas en una fila anterior? Dentro de una celda se escriben dobles."
                ),
                format!(
                    "On line {line}, text follows the quote that closes a cell. Was a quote opened in an earlier \
                     row? Inside a cell, quotes are doubled."
                ),
            ),
            Self::RowTooLong(line, limit) => Phrase::new(
                format!(
                    "La fila que empieza en la línea {line} supera los {limit} bytes. ¿Hay unas comillas sin cerrar?"
                ),
                format!(
                    "The row that starts on line {line} is longer than {limit} bytes. Is there an unclosed quote?"
                ),
            ),
            Self::SheetRowTooLong(row, limit) => Phrase::new(
                format!("La fila {row} de la hoja supera los {limit} bytes."),
                format!("Row {row} of the sheet is longer than {limit} bytes."),
            ),
            Self::UnknownColumns { columns, accepted } => unknown_columns(columns, accepted),
            Self::UnknownNames { line, names, accepted } => {
                let place = Phrase::new(format!("Línea {line}:"), format!("Line {line}:"));
                Phrase::joined(&[place, unknown_columns(names, accepted)])
            }
            Self::InvalidJson(line) => Phrase::new(
                format!(
                    "El JSON de la línea {line} no es válido. Se acepta un array de objetos, o un objeto por línea."
                ),
                format!(
                    "The JSON on line {line} is not valid. Accepted: an array of objects, or one object per line."
                ),
            ),
            Self::UnfinishedJson => UNFINISHED_JSON.into(),
            Self::TextAfterArray(line) => Phrase::new(
                format!("En la línea {line} hay texto tras el final del array JSON."),
                format!("On line {line}, text follows the end of the JSON array."),
            ),
            Self::NotAWorkbook => NOT_A_WORKBOOK.into(),
            Self::BrokenWorkbook => BROKEN_WORKBOOK.into(),
            Self::WorkbookTooLarge => WORKBOOK_TOO_LARGE.into(),
            Self::OtherHeader(sheet) => Phrase::new(
                format!("La hoja {sheet} no tiene el mismo encabezado que la primera."),
                format!("Sheet {sheet} does not have the same header as the first one."),
            ),
            Self::TooManyColumns(line, limit) => Phrase::new(
                format!("La fila de la línea {line} tiene demasiadas columnas. Se aceptan hasta {limit}."),
                format!("The row on line {line} has too many columns. Accepted: up to {limit}."),
            ),
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
