//! What can be wrong with a filter.

use crate::dataset::{Choice, Dataset};
use crate::text::Locale;

/// What is wrong with one field of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldProblem {
    /// The field's machine name.
    pub field: String,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What can be wrong with a filter's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The dataset has no such filter.
    UnknownFilter(Dataset),
    /// Neither a date nor a timestamp.
    NotADate,
    /// Not a whole number from 1 on.
    NotAnId,
    /// None of the choices.
    NotAChoice(&'static [Choice]),
    /// Longer than this many characters.
    TooLong(usize),
    /// Text with a NUL character.
    NotText,
    /// The end is before the start.
    Reversed,
    /// The same filter more than once.
    Repeated,
}

impl Problem {
    /// What is wrong and what is accepted, in the reader's language.
    pub fn message(self, locale: Locale) -> String {
        let es = matches!(locale, Locale::Es);
        match self {
            Self::UnknownFilter(dataset) => {
                let known: Vec<&str> =
                    dataset.describe().filters.iter().map(|field| field.key.key()).collect();
                let known = known.join(", ");
                let name = dataset.key();
                if es {
                    format!("{name} no tiene este filtro. Filtros aceptados: {known}.")
                } else {
                    format!("{name} has no such filter. Accepted filters: {known}.")
                }
            }
            Self::NotADate if es => {
                "No es una fecha. Se acepta 2026-11-16 o 2026-11-16T09:00:00Z.".to_owned()
            }
            Self::NotADate => "Not a date. Accepted: 2026-11-16 or 2026-11-16T09:00:00Z.".to_owned(),
            Self::NotAnId if es => "No es un identificador. Se acepta un número entero desde 1.".to_owned(),
            Self::NotAnId => "Not an id. Accepted: a whole number from 1 on.".to_owned(),
            Self::NotAChoice(choices) if es => {
                format!("Valor desconocido. Se acepta: {}.", values(choices))
            }
            Self::NotAChoice(choices) => format!("Unknown value. Accepted: {}.", values(choices)),
            Self::TooLong(most) if es => format!("Demasiado largo. Se aceptan hasta {most} caracteres."),
            Self::TooLong(most) => format!("Too long. Accepted: up to {most} characters."),
            Self::NotText if es => "El texto contiene un carácter nulo.".to_owned(),
            Self::NotText => "The text holds a null character.".to_owned(),
            Self::Reversed if es => "El final es anterior al comienzo.".to_owned(),
            Self::Reversed => "The end is before the start.".to_owned(),
            Self::Repeated if es => "Está más de una vez. Se acepta una.".to_owned(),
            Self::Repeated => "Given more than once. Accepted: once.".to_owned(),
        }
    }
}

/// Values as they are to be sent, one after the other.
fn values(choices: &[Choice]) -> String {
    choices.iter().map(|choice| choice.value).collect::<Vec<_>>().join(", ")
}
