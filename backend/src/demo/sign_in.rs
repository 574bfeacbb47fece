//! Who can sign in to the demo academy.

use diesel::QueryResult;
use domain::Role;
use rand::seq::IndexedRandom as _;
use secrecy::SecretString;

use crate::auth::password::Passwords;
use crate::db::Connection;
use crate::models::user::User;

/// The admin of the academy, by whom it is known: no real address ends like that (RFC 2606).
pub(super) const ADMIN: &str = "admin@academia.example";
/// Those of the academy who have a password.
const PEOPLE: [(Role, &str); 4] = [
    (Role::Admin, ADMIN),
    (Role::TeacherAdmin, "coordinacion@academia.example"),
    (Role::Teacher, "docente@academia.example"),
    (Role::Student, "estudiante@academia.example"),
];

/// Letters and digits that nobody mistakes for others.
const LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Groups of letters in a password, and letters in a group: 100 bits in all.
const GROUPS: usize = 4;
const GROUP: usize = 5;

/// How somebody signs in.
#[derive(Debug)]
pub struct SignIn {
    /// What they are.
    pub role: Role,
    /// Their e-mail address.
    pub email: &'static str,
    /// Their password.
    pub password: SecretString,
}

/// A sign-in and what is stored of it.
pub(super) struct Made {
    pub sign_in: SignIn,
    hash: String,
}

impl SignIn {
    /// A new password for each of them.
    pub(super) async fn make(passwords: &Passwords) -> anyhow::Result<Vec<Made>> {
        let mut made = Vec::new();
        for (role, email) in PEOPLE {
            let password = password();
            let hash = passwords.hash(password.clone()).await?;
            made.push(Made { sign_in: Self { role, email, password }, hash });
        }
        Ok(made)
    }
}

impl Made {
    /// Lets them in.
    pub(super) async fn store(&self, conn: &mut Connection) -> QueryResult<()> {
        User::set_password(conn, self.sign_in.email, &self.hash).await
    }
}

/// Not from the seed: whoever knows the seed must not know the password.
fn password() -> SecretString {
    let mut rng = rand::rng();
    let mut password = String::with_capacity(GROUPS * (GROUP + 1));
    for place in 0..GROUPS * GROUP {
        if place > 0 && place % GROUP == 0 {
            password.push('-');
        }
        password.extend(LETTERS.choose(&mut rng).map(|letter| char::from(*letter)));
    }
    password.into()
}
