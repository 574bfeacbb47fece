//! The rows that only an admin who signed in to the hub may store: those that create an admin, grant
//! manage-settings, or change a protected account, which is an admin or has a password here.
//!
//! A row is also refused if its e-mail address stays with a protected account or a refused row, since that
//! account's mail would go to someone else.

use std::collections::{HashMap, HashSet};

use domain::{Role, Text};

use crate::mirror::{Indexed, Problem};
use crate::models::mirrored::user::{MirroredUser, StoredUser};

const MAKES_ADMIN: Text = Text::new(
    "Solo un administrador que inició sesión aquí puede nombrar administradores.",
    "Only an admin who signed in here can make someone an admin.",
);
const GRANTS_MANAGE_SETTINGS: Text = Text::new(
    "Solo un administrador que inició sesión aquí puede conceder manage-settings.",
    "Only an admin who signed in here can grant manage-settings.",
);
const PROTECTED: Text = Text::new(
    "Esta cuenta es de un administrador o tiene contraseña aquí: solo un administrador que inició sesión aquí puede \
     cambiarla.",
    "This account belongs to an admin or has a password here. Only an admin who signed in here can change it.",
);
const ADDRESS_KEPT: Text = Text::new(
    "Ese correo sigue siendo de una cuenta que no se puede cambiar así.",
    "This e-mail address belongs to an account that cannot be changed this way.",
);

/// Returns the refused rows with the reasons. `folded` are the rows' e-mail addresses in the case-folded form
/// that the database compares, and `stored` all accounts with the id or the address of a row.
pub fn refused_rows(
    rows: &[Indexed<MirroredUser>],
    folded: &[String],
    stored: &[StoredUser],
) -> Vec<Problem> {
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
    // A refused row keeps its stored address, so another row with that address is refused too.
    loop {
        let before = refused.len();
        for ((index, row), email) in rows.iter().zip(folded) {
            let Some(owner) = by_email.get(email.as_str()) else { continue };
            let is_kept = is_protected(owner) || refused.contains(&owner.id);
            if owner.id != row.id && is_kept && refused.insert(row.id) {
                problems.push(Problem::new(*index, "email", ADDRESS_KEPT));
            }
        }
        if refused.len() == before {
            return problems;
        }
    }
}

/// The field and the reason for which this row is refused, if any.
fn forbidden(row: &MirroredUser, stored: Option<&StoredUser>) -> Option<(&'static str, Text)> {
    match stored {
        // Mirroring never changes an erased user.
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
