//! Why a row is rejected.

use domain::text::Text;
use domain::validation;

/// What is wrong with a row, or with one of its cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellProblem {
    /// The row has more or fewer cells than the header.
    WrongCellCount,
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
    /// Neither a date nor a timestamp.
    NotADate,
    /// The category is too long.
    CategoryTooLong,
    /// JSON that is nested too deeply.
    TooDeep,
    /// JSON with a number or character that the database cannot store.
    NotStorable,
}

impl CellProblem {
    /// All problems.
    pub const ALL: [Self; 11] = [
        Self::WrongCellCount,
        Self::Blank,
        Self::NotAnId,
        Self::UnknownId,
        Self::NoCourseOrLesson,
        Self::NotInYourCourses,
        Self::NotAValue,
        Self::NotADate,
        Self::CategoryTooLong,
        Self::TooDeep,
        Self::NotStorable,
    ];

    /// The problem's stored name, which must not change even if the message does.
    pub const fn key(self) -> &'static str {
        match self {
            Self::WrongCellCount => "wrong_cell_count",
            Self::Blank => "blank",
            Self::NotAnId => "not_an_id",
            Self::UnknownId => "unknown_id",
            Self::NoCourseOrLesson => "no_course_or_lesson",
            Self::NotInYourCourses => "not_in_your_courses",
            Self::NotAValue => "not_a_value",
            Self::NotADate => "not_a_date",
            Self::CategoryTooLong => "category_too_long",
            Self::TooDeep => "too_deep",
            Self::NotStorable => "not_storable",
        }
    }

    /// The problem with this name.
    pub fn parse(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|problem| problem.key() == key)
    }

    /// Says what is wrong and what is accepted.
    pub const fn message(self) -> Text {
        match self {
            Self::WrongCellCount => Text::new(
                "El número de celdas de la fila no coincide con el del encabezado.",
                "The row does not have the same number of cells as the header.",
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
            Self::TooDeep => validation::JSON_TOO_DEEP,
            Self::NotStorable => validation::JSON_NOT_STORABLE,
        }
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
