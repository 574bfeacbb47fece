//! What can be wrong with a filter.

use crate::dataset::{Choice, Dataset};
use crate::text::{Phrase, Text};
use crate::validation;

/// What is wrong with one field of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldProblem {
    /// The field's machine name.
    pub field: String,
    pub problem: Problem,
}

/// What can be wrong with a filter's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The dataset has no such filter.
    UnknownFilter(Dataset),
    /// Neither a date nor a timestamp.
    NotADate,
    /// Not a whole number from 1 to [`MAX_ID`](super::MAX_ID).
    NotAnId,
    /// Not one of the choices.
    NotAChoice(&'static [Choice]),
    /// Longer than this number of characters.
    TooLong(usize),
    /// The text contains a null character.
    NullCharacter,
    /// The end is before the start.
    Reversed,
    /// The same filter more than once.
    Repeated,
}

impl Problem {
    /// What is wrong and what is accepted.
    pub fn message(self) -> Phrase {
        let text = match self {
            Self::UnknownFilter(dataset) => {
                let name = dataset.key();
                let filters = dataset.describe().filters.iter();
                let known = filters.map(|field| field.key.key()).collect::<Vec<_>>().join(", ");
                return Phrase::new(
                    format!("{name} no tiene este filtro. Filtros aceptados: {known}."),
                    format!("{name} has no such filter. Accepted filters: {known}."),
                );
            }
            Self::NotADate => Text::new(
                "No es una fecha. Se acepta 2026-11-16 o 2026-11-16T09:00:00Z.",
                "Not a date. Accepted: 2026-11-16 or 2026-11-16T09:00:00Z.",
            ),
            Self::NotAnId => validation::NOT_AN_ID,
            Self::NotAChoice(choices) => {
                let known = choices.iter().map(|choice| choice.value).collect::<Vec<_>>().join(", ");
                return Phrase::new(
                    format!("Valor desconocido. Se acepta: {known}."),
                    format!("Unknown value. Accepted: {known}."),
                );
            }
            Self::TooLong(limit) => {
                return Phrase::new(
                    format!("Demasiado largo. Se aceptan hasta {limit} caracteres."),
                    format!("Too long. Accepted: up to {limit} characters."),
                );
            }
            Self::NullCharacter => validation::NULL_CHARACTER,
            Self::Reversed => Text::new("El final es anterior al comienzo.", "The end is before the start."),
            Self::Repeated => {
                Text::new("Está más de una vez. Se acepta una.", "Given more than once. Accepted: once.")
            }
        };
        text.into()
    }
}
