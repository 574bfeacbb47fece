//! Which rows a caller without an admin's sign-in may not store: those that make an admin, grant manage-settings, or
//! change an admin or an account with a password here.
//!
//! A row is refused too when its address is one that such an account keeps, since that would hand the account's mail to
//! somebody else.

use std::collections::{HashMap, HashSet};

use domain::{Role, Text};

use crate::mirror::{Numbered, Problem};
use crate::models::mirrored::user::{MirroredUser, StoredUser};

const MAKES_ADMIN: Text = Text::new(
    "Solo un administrador que inició sesión aquí puede nombrar administradores.",
    "Only an admin who signed in here may make somebody an admin.",
);
const GRANTS_MANAGE_SETTINGS: Text = Text::new(
    "Solo un administrador que inició sesión aquí puede conceder manage-settings.",
    "Only an admin who signed in here may grant manage-settings.",
);
const PROTECTED: Text = Text::new(
    "Esta cuenta es de un administrador o tiene contraseña aquí: solo un administrador que inició sesión aquí puede \
     cambiarla.",
    "This account is an admin's or has a password here: only an admin who signed in here may change it.",
);
const ADDRESS_KEPT: Text = Text::new(
    "Ese correo sigue siendo de una cuenta que no se puede cambiar así.",
    "That e-mail address stays with an account that cannot be changed in this way.",
);

/// The rows that are refused, with the reason. `folded` are the rows' addresses as the database compares them, and
/// `stored` every account that has the id or the address of a row.
pub fn refused(rows: &[Numbered<MirroredUser>], folded: &[String], stored: &[StoredUser]) -> Vec<Problem> {
    let by_id: HashMap<i64, &StoredUser> = stored.iter().map(|user| (user.id, user)).collect();
    let by_email: HashMap<&str, &StoredUser> =
        stored.iter().map(|user| (user.folded_email.as_str(), user)).collect();
    let mut problems = Vec::new();
    let mut refused: HashSet<i64> = HashSet::new();
    for (index, row) in rows {
        if let Some((field, reason)) = forbidden(row, by_id.get(&row.id).copied()) {
            problems.push(Problem::new(*index, field, reason));
            refused.insert(row.id);
        }
    }
    // Whoever is refused keeps their address, so a row that wants it is refused in turn.
    loop {
        let before = refused.len();
        for ((index, row), email) in rows.iter().zip(folded) {
            let Some(owner) = by_email.get(email.as_str()) else { continue };
            let keeps = is_protected(owner) || refused.contains(&owner.id);
            if owner.id != row.id && keeps && refused.insert(row.id) {
                problems.push(Problem::new(*index, "email", ADDRESS_KEPT));
            }
        }
        if refused.len() == before {
            return problems;
        }
    }
}

/// The field and the reason for which this row may not be stored, if any.
fn forbidden(row: &MirroredUser, stored: Option<&StoredUser>) -> Option<(&'static str, Text)> {
    match stored {
        // Nothing that is sent changes them.
        Some(stored) if stored.is_erased => None,
        Some(stored) if is_protected(stored) => stored.differs_from(row).then_some(("id", PROTECTED)),
        Some(_) | None if row.role == Role::Admin.key() => Some(("role", MAKES_ADMIN)),
        Some(StoredUser { manage_settings: Some(true), .. }) => None,
        Some(_) | None => {
            (row.manage_settings == Some(true)).then_some(("permissions", GRANTS_MANAGE_SETTINGS))
        }
    }
}

fn is_protected(stored: &StoredUser) -> bool {
    stored.has_password || stored.role == Role::Admin.key()
}
