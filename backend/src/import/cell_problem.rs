//! Why a row is refused.

use domain::text::Text;

/// What is wrong with a row, or with one of its cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellProblem {
    /// The row has more or fewer cells than the header.
    WrongCellCount,
    /// The cell must not be blank.
    Blank,
    /// Not a whole number from 1 on.
    NotAnId,
    /// There is nothing with this id.
    UnknownId,
    /// The row names neither a course nor a lesson, and whoever imports it must.
    NoCourseOrLesson,
    /// There is nothing with this id in the courses of whoever imports it.
    NotInYourCourses,
    /// Not a whole number from 0 to 2,147,483,647.
    NotAValue,
    /// Neither a date nor a timestamp.
    NotADate,
    /// Longer than a category may be.
    CategoryTooLong,
    /// JSON that is nested deeper than is taken.
    TooDeep,
    /// JSON with a number or character that no database keeps.
    NotStorable,
}

impl CellProblem {
    /// Every problem.
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

    /// The problem's name in the database, which stays the same whatever the words become.
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

    /// What is wrong and what is accepted.
    pub const fn message(self) -> Text {
        match self {
            Self::WrongCellCount => Text::new(
                "La fila no tiene tantas celdas como el encabezado.",
                "The row does not have as many cells as the header.",
            ),
            Self::Blank => Text::new("No puede estar en blanco.", "It must not be blank."),
            Self::NotAnId => Text::new(
                "No es un id. Se acepta un número entero desde 1.",
                "Not an id. Accepted: a whole number from 1 on.",
            ),
            Self::UnknownId => Text::new("No existe nada con este id.", "There is nothing with this id."),
            Self::NoCourseOrLesson => Text::new(
                "Como Teacher Admin, cada fila que importas debe nombrar un curso o una lección.",
                "As a Teacher Admin, each row that you import must name a course or a lesson.",
            ),
            Self::NotInYourCourses => Text::new(
                "No hay nada con este id en los cursos asignados a ti.",
                "There is nothing with this id in the courses assigned to you.",
            ),
            Self::NotAValue => Text::new(
                "Se acepta un número entero de 0 a 2147483647, o nada.",
                "Accepted: a whole number from 0 to 2147483647, or nothing.",
            ),
            Self::NotADate => Text::new(
                "Se acepta una fecha (2026-11-16) o una marca de tiempo RFC 3339 (2026-11-16T09:00:00Z) de los años 1900 \
                 a 9998, o nada.",
                "Accepted: a date (2026-11-16) or an RFC 3339 timestamp (2026-11-16T09:00:00Z) in the years 1900 to \
                 9998, or nothing.",
            ),
            Self::CategoryTooLong => Text::new(
                "La categoría tiene más de 50 caracteres.",
                "The category is longer than 50 characters.",
            ),
            Self::TooDeep => {
                Text::new("El JSON está anidado a demasiada profundidad.", "The JSON is nested too deep.")
            }
            Self::NotStorable => Text::new(
                "El JSON contiene un número fuera de rango o un carácter que no se puede guardar.",
                "The JSON holds a number out of range or a character that cannot be stored.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_found_by_its_name() {
        for problem in CellProblem::ALL {
            assert_eq!(CellProblem::parse(problem.key()), Some(problem));
        }
    }
}
