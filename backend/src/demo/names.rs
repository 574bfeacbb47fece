//! Made-up people: names as they are borne in Spanish, addresses in a domain that cannot exist.

use rand::Rng;
use rand::seq::IndexedRandom as _;

const GIVEN: [&str; 40] = [
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

const FAMILY: [&str; 40] = [
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

/// Somebody's name and e-mail address; the number tells people of one name apart.
pub fn person(rng: &mut impl Rng, number: usize) -> (String, String) {
    let mut pick = |names: &[&'static str]| names.choose(rng).copied().unwrap_or("Ana");
    let (given, first, second) = (pick(&GIVEN), pick(&FAMILY), pick(&FAMILY));
    let email = format!("{}.{}.{number}@academia.example", plain(given), plain(first));
    (format!("{given} {first} {second}"), email)
}

/// The name in the letters of an address.
fn plain(name: &str) -> String {
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
