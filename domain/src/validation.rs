//! Messages about wrong values that every way into the product shares.

use crate::text::{Phrase, Text};

/// The value is not an id.
pub const NOT_AN_ID: Text = Text::new(
    "No es un identificador. Se acepta un número entero desde 1.",
    "Not an ID. Accepted: a whole number, 1 or greater.",
);

/// Nothing has this id.
pub const UNKNOWN_ID: Text =
    Text::new("No existe nada con este identificador.", "Nothing with this ID exists.");

/// The text contains U+0000, which PostgreSQL does not store.
pub const NULL_CHARACTER: Text =
    Text::new("El texto contiene un carácter nulo.", "The text contains a null character.");

/// The value is not a timestamp.
pub const NOT_A_TIMESTAMP: Text = Text::new(
    "No es una marca de tiempo. Se acepta RFC 3339, como 2026-11-16T09:00:00Z.",
    "Not a timestamp. Accepted: RFC 3339, such as 2026-11-16T09:00:00Z.",
);

/// The value is not a UUID.
pub const NOT_A_UUID: Text = Text::new(
    "No es un UUID. Se acepta un valor como 0d0f7a5e-8f0e-4c0b-9d5f-3c8b1a2e4f60.",
    "Not a UUID. Accepted: a value such as 0d0f7a5e-8f0e-4c0b-9d5f-3c8b1a2e4f60.",
);

/// The JSON exceeds the limit of mirrored rows and of platform events.
pub const JSON_TOO_LARGE: Text = Text::new(
    "El JSON es demasiado largo. Se aceptan hasta 64 KiB.",
    "The JSON is too long. Accepted: up to 64 KiB.",
);

/// The text is not JSON.
pub const NOT_JSON: Text = Text::new("No es JSON.", "Not JSON.");

/// The JSON is nested more than `limit` levels deep.
pub fn json_too_deep(limit: usize) -> Phrase {
    Phrase::new(
        format!("El JSON está anidado a demasiada profundidad. Se aceptan hasta {limit} niveles."),
        format!("The JSON is nested too deeply. Accepted: up to {limit} levels."),
    )
}

/// The JSON has a number or character that PostgreSQL does not store.
pub const JSON_NOT_STORABLE: Text = Text::new(
    "El JSON contiene un número fuera de rango o un carácter que no se puede guardar.",
    "The JSON contains a number out of range or a character that cannot be stored.",
);
