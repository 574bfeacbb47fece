//! Passwords: argon2id, a few at a time, off the async threads.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use domain::text::Text;
use rand::RngCore;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

/// The least number of characters of a new password.
pub const MIN_CHARACTERS: usize = 10;
/// The most bytes of a password; more would only cost time.
pub const MAX_BYTES: usize = 1024;

/// Memory in KiB and passes, as OWASP's Password Storage Cheat Sheet advises for argon2id with one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Why a password cannot be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeakPassword {
    /// It has fewer than [`MIN_CHARACTERS`].
    TooShort,
    /// It has more than [`MAX_BYTES`].
    TooLong,
}

impl WeakPassword {
    /// What is accepted, in the user's words.
    pub const fn text(self) -> Text {
        match self {
            Self::TooShort => Text::new(
                "La contraseña necesita al menos 10 caracteres.",
                "The password needs at least 10 characters.",
            ),
            Self::TooLong => Text::new(
                "La contraseña puede tener como máximo 1024 bytes.",
                "The password may have at most 1024 bytes.",
            ),
        }
    }
}

/// What a password turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Not the account's password, or the account does not exist.
    Wrong,
    /// The account's password.
    Right,
    /// The account's password, but hashed with parameters of another time: hash it anew.
    RightButOutdated,
}

/// Hashes and verifies passwords, so many at once as there are cores.
#[derive(Debug, Clone)]
pub struct Passwords {
    permits: Arc<Semaphore>,
    /// What the password of an unknown account is compared with, so that the answer takes as long as for a known one.
    decoy: Arc<str>,
}

/// Whether this may become somebody's password.
pub fn check_strength(password: &SecretString) -> Result<(), WeakPassword> {
    let password = password.expose_secret();
    if password.chars().count() < MIN_CHARACTERS {
        return Err(WeakPassword::TooShort);
    }
    if password.len() > MAX_BYTES {
        return Err(WeakPassword::TooLong);
    }
    Ok(())
}

impl Passwords {
    /// Ready to hash; takes as long as hashing one password.
    pub fn new() -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let decoy = hash(&SecretString::from("the password of nobody"))?;
        Ok(Self { permits: Arc::new(Semaphore::new(cores)), decoy: decoy.into() })
    }

    /// The password's hash, as it is stored.
    pub async fn hash(&self, password: SecretString) -> Result<String> {
        self.run(move || hash(&password)).await
    }

    /// Compares a password with the stored hash; with no hash it is wrong, and the answer takes just as long.
    pub async fn verify(&self, password: SecretString, stored: Option<&str>) -> Result<Verdict> {
        if password.expose_secret().len() > MAX_BYTES {
            return Ok(Verdict::Wrong);
        }
        let known = stored.is_some();
        let stored = stored.unwrap_or(&self.decoy).to_owned();
        let verdict = self.run(move || verify(&password, &stored)).await?;
        Ok(if known { verdict } else { Verdict::Wrong })
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let permit = self.permits.clone().acquire_owned().await.context("password hashing has ended")?;
        // The permit goes along: a caller that gives up does not make room for more work than there are cores.
        tokio::task::spawn_blocking(move || {
            let outcome = work();
            drop(permit);
            outcome
        })
        .await?
    }
}

fn argon2id() -> Argon2<'static> {
    let params =
        Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the parameters are within argon2's limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(password: &SecretString) -> Result<String> {
    let mut salt = [0; 16];
    rand::rng().fill_bytes(&mut salt);
    let salt = SaltString::encode_b64(&salt).map_err(|error| anyhow!("salt: {error}"))?;
    let hash = argon2id()
        .hash_password(password.expose_secret().as_bytes(), &salt)
        .map_err(|error| anyhow!("hashing a password: {error}"))?;
    Ok(hash.to_string())
}

fn verify(password: &SecretString, stored: &str) -> Result<Verdict> {
    let stored = PasswordHash::new(stored).map_err(|error| anyhow!("a stored password hash: {error}"))?;
    let current = argon2id();
    if current.verify_password(password.expose_secret().as_bytes(), &stored).is_err() {
        return Ok(Verdict::Wrong);
    }
    let as_now = stored.algorithm == argon2::ARGON2ID_IDENT
        && Params::try_from(&stored).is_ok_and(|params| {
            (params.m_cost(), params.t_cost(), params.p_cost()) == (MEMORY_KIB, PASSES, LANES)
        });
    Ok(if as_now { Verdict::Right } else { Verdict::RightButOutdated })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_of_a_known_account_passes() {
        let passwords = Passwords::new().unwrap();
        let stored = passwords.hash("correct horse".into()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        let verify = |password: &'static str, stored| passwords.verify(password.into(), stored);
        assert_eq!(verify("correct horse", Some(&*stored)).await.unwrap(), Verdict::Right);
        assert_eq!(verify("correct horsf", Some(&*stored)).await.unwrap(), Verdict::Wrong);
        assert_eq!(verify("the password of nobody", None).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_hash_with_other_parameters_is_right_but_outdated() {
        let weaker = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(64, 1, 1, None).unwrap());
        let salt = SaltString::encode_b64(b"sixteen bytes ok").unwrap();
        let stored = weaker.hash_password(b"correct horse", &salt).unwrap().to_string();
        let passwords = Passwords::new().unwrap();
        let verdict = passwords.verify("correct horse".into(), Some(&stored)).await.unwrap();
        assert_eq!(verdict, Verdict::RightButOutdated);
    }

    #[test]
    fn a_new_password_is_neither_too_short_nor_too_long() {
        assert_eq!(check_strength(&"ñandúñandú".into()), Ok(()));
        assert_eq!(check_strength(&"ñandúñand".into()), Err(WeakPassword::TooShort));
        assert_eq!(check_strength(&"a".repeat(1024).into()), Ok(()));
        assert_eq!(check_strength(&"a".repeat(1025).into()), Err(WeakPassword::TooLong));
    }
}
