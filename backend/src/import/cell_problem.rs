//! Why a row is rejected.

use domain::Locale;
use domain::text::{Phrase, Text};
use domain::validation;

use crate::config::imports::Imports;

/// What is wrong with a row, or with one of its cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellProblem {
    /// The row has more or fewer cells than the header.
    WrongCellCount,
    /// The cell is in a column without a name.
    NamelessColumn,
    /// The row repeats the header.
    RepeatedHeader,
    /// The cell must not be blank.
    Blank,
    /// Not a whole number, 1 or greater.
    NotAnId,
    /// Nothing with this ID exists.
    UnknownId,
    /// The row names neither a course nor a lesson, which the importer is required to do.
    NoCourseOrLesson,
    /// Nothing with this ID exists in the importer's courses.
    NotInYourCourses,
    /// Not a whole number from 0 to 2,147,483,647.
    NotAValue,
    /// A number with an exponent, such as 1e3.
    Exponent,
    /// A number with separators of thousands.
    ThousandsSeparator,
    /// A number with decimals.
    Fraction,
    /// Neither a date nor a timestamp.
    NotADate,
    /// A date such as 03/04/2026, in which the day or the month may be first.
    DayMonthOrder,
    /// A date as the number that a spreadsheet stores for it.
    SerialDate,
    /// A timestamp without an offset from UTC.
    NoOffset,
    /// The category is too long.
    CategoryTooLong,
    /// The cell is too long.
    CellTooLong,
    /// A null character.
    NullCharacter,
    /// Half of a character that UTF-16 writes in two parts.
    LoneSurrogate,
    /// A line that is no JSON object.
    NotAnObject,
    /// An object with a name twice.
    RepeatedName,
    /// A formula whose result is not in the workbook.
    NoResult,
    /// The error of a formula, such as `#N/A`.
    ErrorValue,
    /// JSON that is nested too deeply.
    TooDeep,
    /// JSON with a number or character that the database cannot store.
    NotStorable,
}

impl CellProblem {
    /// All problems.
    pub const ALL: [Self; 26] = [
        Self::WrongCellCount,
        Self::NamelessColumn,
        Self::RepeatedHeader,
        Self::Blank,
        Self::NotAnId,
        Self::UnknownId,
        Self::NoCourseOrLesson,
        Self::NotInYourCourses,
        Self::NotAValue,
        Self::Exponent,
        Self::ThousandsSeparator,
        Self::Fraction,
        Self::NotADate,
        Self::DayMonthOrder,
        Self::SerialDate,
        Self::NoOffset,
        Self::CategoryTooLong,
        Self::CellTooLong,
        Self::NullCharacter,
        Self::LoneSurrogate,
        Self::NotAnObject,
        Self::RepeatedName,
        Self::NoResult,
        Self::ErrorValue,
        Self::TooDeep,
        Self::NotStorable,
    ];

    /// The problem's stored name, which must not change even if the message does.
    pub const fn key(self) -> &'static str {
        match self {
            Self::WrongCellCount => "wrong_cell_count",
            Self::NamelessColumn => "nameless_column",
            Self::RepeatedHeader => "repeated_header",
            Self::Blank => "blank",
            Self::NotAnId => "not_an_id",
            Self::UnknownId => "unknown_id",
            Self::NoCourseOrLesson => "no_course_or_lesson",
            Self::NotInYourCourses => "not_in_your_courses",
            Self::NotAValue => "not_a_value",
            Self::Exponent => "exponent",
            Self::ThousandsSeparator => "thousands_separator",
            Self::Fraction => "fraction",
            Self::NotADate => "not_a_date",
            Self::DayMonthOrder => "day_month_order",
            Self::SerialDate => "serial_date",
            Self::NoOffset => "no_offset",
            Self::CategoryTooLong => "category_too_long",
            Self::CellTooLong => "cell_too_long",
            Self::NullCharacter => "null_character",
            Self::LoneSurrogate => "lone_surrogate",
            Self::NotAnObject => "not_an_object",
            Self::RepeatedName => "repeated_name",
            Self::NoResult => "no_result",
            Self::ErrorValue => "error_value",
            Self::TooDeep => "too_deep",
            Self::NotStorable => "not_storable",
        }
    }

    /// The problem with this name.
    pub fn parse(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|problem| problem.key() == key)
    }

    /// Says what is wrong and what is accepted under these limits, by the stored name.
    pub fn describe(key: &str, limits: &Imports, locale: Locale) -> String {
        Self::parse(key).map_or_else(|| key.to_owned(), |problem| problem.phrase(limits).into_locale(locale))
    }

    /// Says what is wrong and what is accepted under these limits.
    fn phrase(self, limits: &Imports) -> Phrase {
        let text = match self {
            Self::CellTooLong => {
                let limit = limits.max_cell_bytes;
                return Phrase::new(
                    format!("La celda es demasiado larga. Se aceptan hasta {limit} bytes."),
                    format!("The cell is too long. Accepted: up to {limit} bytes."),
                );
            }
            Self::TooDeep => return validation::json_too_deep(limits.max_nesting),
            Self::WrongCellCount => Text::new(
                "El número de celdas de la fila no coincide con el del encabezado.",
                "The row does not have the same number of cells as the header.",
            ),
            Self::NamelessColumn => Text::new(
                "La columna de esta celda no tiene nombre en el encabezado.",
                "The column of this cell has no name in the header.",
            ),
            Self::RepeatedHeader => Text::new(
                "La fila repite el encabezado, como en archivos unidos. Quítala.",
                "The row repeats the header, as in joined files. Remove it.",
            ),
            Self::Blank => Text::new("No puede estar en blanco.", "Cannot be blank."),
            Self::NotAnId => validation::NOT_AN_ID,
            Self::UnknownId => validation::UNKNOWN_ID,
            Self::NoCourseOrLesson => Text::new(
                "Cada fila que importa un Teacher Admin debe indicar un curso o una lección.",
                "Each row that a Teacher Admin imports must name a course or a lesson.",
            ),
            Self::NotInYourCourses => Text::new(
                "No existe nada con este id en los cursos que tienes asignados.",
                "Nothing with this ID exists in the courses assigned to you.",
            ),
            Self::NotAValue => Text::new(
                "Se acepta un número entero de 0 a 2147483647, o en blanco.",
                "Accepted: a whole number from 0 to 2147483647, or blank.",
            ),
            Self::Exponent => Text::new(
                "Es un número con exponente. Se aceptan solo cifras, como 1000.",
                "This number has an exponent. Accepted: digits only, such as 1000.",
            ),
            Self::ThousandsSeparator => Text::new(
                "Es un número con separador de millares o con decimales. Se aceptan solo cifras, como 1234.",
                "This number has a thousands separator or decimals. Accepted: digits only, such as 1234.",
            ),
            Self::Fraction => Text::new(
                "Es un número con decimales. Se acepta un número entero, como 12.",
                "This number has decimals. Accepted: a whole number, such as 12.",
            ),
            Self::DayMonthOrder => Text::new(
                "El año debe ir primero, porque el orden de día y mes cambia según el país. Se acepta año-mes-día, como 2026-11-16.",
                "The year must come first, since the order of day and month differs between countries. Accepted: year-month-day, such as 2026-11-16.",
            ),
            Self::SerialDate => Text::new(
                "Es una fecha como la guarda una hoja de cálculo. Da a la celda un formato como 2026-11-16.",
                "This is a date as a spreadsheet stores it. Give the cell a format such as 2026-11-16.",
            ),
            Self::NoOffset => Text::new(
                "No indica la zona horaria. Se acepta una marca de tiempo con desfase, como 2026-11-16T09:00:00Z o 2026-11-16 09:00:00+01:00.",
                "The time zone is missing. Accepted: a timestamp with an offset, such as 2026-11-16T09:00:00Z or 2026-11-16 09:00:00+01:00.",
            ),
            Self::NotADate => Text::new(
                "Se acepta una fecha (2026-11-16) o una marca de tiempo RFC 3339 (2026-11-16T09:00:00Z) de los años 1900 \
                 a 9998, o en blanco.",
                "Accepted: a date (2026-11-16) or an RFC 3339 timestamp (2026-11-16T09:00:00Z) in the years 1900 to \
                 9998, or blank.",
            ),
            Self::CategoryTooLong => Text::new(
                "La categoría tiene más de 50 caracteres.",
                "The category is longer than 50 characters.",
            ),
            Self::NullCharacter => validation::NULL_CHARACTER,
            Self::LoneSurrogate => Text::new(
                "El texto contiene la mitad de un carácter (un sustituto UTF-16 sin su pareja).",
                "The text contains half of a character (a UTF-16 surrogate without its pair).",
            ),
            Self::NotAnObject => Text::new(
                "Se acepta un objeto JSON, en NDJSON en una sola línea: {\"user_id\": 7, \"value\": 3}.",
                "Accepted: a JSON object, in NDJSON on one line: {\"user_id\": 7, \"value\": 3}.",
            ),
            Self::RepeatedName => {
                Text::new("El objeto tiene este nombre dos veces.", "The object has this name twice.")
            }
            Self::NoResult => Text::new(
                "El resultado de una fórmula no está en el libro. Ábrelo en una hoja de cálculo y guárdalo de nuevo.",
                "The result of a formula is not in the workbook. Open it in a spreadsheet and save it again.",
            ),
            Self::ErrorValue => Text::new(
                "Una celda contiene un error de la hoja de cálculo.",
                "A cell contains an error of the spreadsheet.",
            ),
            Self::NotStorable => validation::JSON_NOT_STORABLE,
        };
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_parses_from_its_key() {
        for problem in CellProblem::ALL {
            assert_eq!(CellProblem::parse(problem.key()), Some(problem));
        }
    }
}
