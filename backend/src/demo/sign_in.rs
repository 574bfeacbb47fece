//! The sign-ins of the demo academy.

use diesel::QueryResult;
use domain::Role;
use rand::seq::IndexedRandom as _;
use secrecy::SecretString;

use crate::auth::password::Passwords;
use crate::db::Connection;
use crate::models::user::User;

/// The academy's admin. A database with this address holds the demo academy, because no real address ends in
/// `.example` (RFC 2606).
pub(super) const ADMIN: &str = "admin@academia.example";
/// The people who get a password.
const ACCOUNTS: [(Role, &str); 4] = [
    (Role::Admin, ADMIN),
    (Role::TeacherAdmin, "coordinacion@academia.example"),
    (Role::Teacher, "docente@academia.example"),
    (Role::Student, "estudiante@academia.example"),
];

/// Letters and digits that are hard to confuse with each other.
const PASSWORD_ALPHABET: &[u8] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// A password has four groups of five characters, which is 100 bits of entropy.
const GROUP_COUNT: usize = 4;
const GROUP_LENGTH: usize = 5;

/// An account that can sign in.
#[derive(Debug)]
pub struct SignIn {
    pub role: Role,
    pub email: &'static str,
    pub password: SecretString,
}

/// A sign-in with the hash of its password.
pub(super) struct HashedSignIn {
    pub sign_in: SignIn,
    hash: String,
}

impl SignIn {
    /// Generates a password for each account.
    pub(super) async fn generate(passwords: &Passwords) -> anyhow::Result<Vec<HashedSignIn>> {
        let mut hashed = Vec::new();
        for (role, email) in ACCOUNTS {
            let password = password();
            let hash = passwords.hash(password.clone()).await?;
            hashed.push(HashedSignIn { sign_in: Self { role, email, password }, hash });
        }
        Ok(hashed)
    }
}

impl HashedSignIn {
    /// Stores the password hash, so that the account can sign in.
    pub(super) async fn store(&self, conn: &mut Connection) -> QueryResult<()> {
        User::set_password_hash(conn, self.sign_in.email, &self.hash).await
    }
}

/// A random password. It must not depend on the seed, because the default seed is public.
fn password() -> SecretString {
    let mut rng = rand::rng();
    let mut password = String::with_capacity(GROUP_COUNT * (GROUP_LENGTH + 1));
    for position in 0..GROUP_COUNT * GROUP_LENGTH {
        if position > 0 && position % GROUP_LENGTH == 0 {
            password.push('-');
        }
        password.extend(PASSWORD_ALPHABET.choose(&mut rng).map(|character| char::from(*character)));
    }
    password.into()
}
