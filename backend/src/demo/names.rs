//! Fictional people, with Spanish names and email addresses in a reserved domain.

use rand::Rng;
use rand::seq::IndexedRandom as _;

const GIVEN_NAMES: [&str; 40] = [
    "Sofía",
    "Mateo",
    "Valentina",
    "Santiago",
    "Camila",
    "Sebastián",
    "Lucía",
    "Nicolás",
    "Martina",
    "Samuel",
    "Isabella",
    "Alejandro",
    "Daniela",
    "Diego",
    "Paula",
    "Andrés",
    "Carmen",
    "Javier",
    "Elena",
    "Tomás",
    "Ana María",
    "Juan José",
    "Inés",
    "Gonzalo",
    "Marta",
    "Álvaro",
    "Noelia",
    "Íñigo",
    "Rocío",
    "Joaquín",
    "Ximena",
    "Emilio",
    "Pilar",
    "Óscar",
    "Beatriz",
    "Rubén",
    "Mónica",
    "Hugo",
    "Úrsula",
    "Begoña",
];

const FAMILY_NAMES: [&str; 40] = [
    "García",
    "Núñez",
    "Rodríguez",
    "Peña",
    "Fernández",
    "Muñoz",
    "Martínez",
    "Ibáñez",
    "Sánchez",
    "Quiñones",
    "Gómez",
    "Zúñiga",
    "Castaño",
    "Ruiz",
    "Álvarez",
    "Domínguez",
    "Moreno",
    "Ortega",
    "Vázquez",
    "Herrera",
    "Castro",
    "Ramos",
    "Suárez",
    "Blanco",
    "Molina",
    "Delgado",
    "Serrano",
    "Cruz",
    "Vega",
    "Prieto",
    "Rojas",
    "Salazar",
    "Cárdenas",
    "Restrepo",
    "Giráldez",
    "Echeverría",
    "Urrutia",
    "D'Angelo",
    "Ferrer",
    "Ponce",
];

/// A random name and its email address. The number keeps addresses of people with the same name distinct.
pub fn person(rng: &mut impl Rng, number: usize) -> (String, String) {
    let mut pick = |names: &[&'static str]| names.choose(rng).copied().unwrap_or("Ana");
    let (given, first, second) = (pick(&GIVEN_NAMES), pick(&FAMILY_NAMES), pick(&FAMILY_NAMES));
    let email = format!("{}.{}.{number}@academia.example", to_ascii(given), to_ascii(first));
    (format!("{given} {first} {second}"), email)
}

/// The name in lower-case ASCII letters, for an email address.
fn to_ascii(name: &str) -> String {
    name.to_lowercase()
        .chars()
        .filter_map(|letter| match letter {
            'á' => Some('a'),
            'é' => Some('e'),
            'í' => Some('i'),
            'ó' => Some('o'),
            'ú' | 'ü' => Some('u'),
            'ñ' => Some('n'),
            ' ' => Some('-'),
            letter if letter.is_ascii_alphabetic() => Some(letter),
            _ => None,
        })
        .collect()
}
