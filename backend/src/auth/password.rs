//! Password hashing with argon2id, on blocking threads and with limited concurrency.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use domain::text::Text;
use rand::RngCore;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

/// The minimum length of a new password, in characters.
pub const MIN_CHARACTERS: usize = 10;
/// The maximum length of a password, in bytes. Longer ones would only cost time.
pub const MAX_BYTES: usize = 1024;

/// Memory in KiB and passes that OWASP's Password Storage Cheat Sheet recommends for argon2id with one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Why a new password is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeakPassword {
    /// Shorter than [`MIN_CHARACTERS`].
    TooShort,
    /// Longer than [`MAX_BYTES`].
    TooLong,
}

impl WeakPassword {
    /// The message for the user, which says what is accepted.
    pub const fn text(self) -> Text {
        match self {
            Self::TooShort => Text::new(
                "La contraseña debe tener al menos 10 caracteres.",
                "The password must have at least 10 characters.",
            ),
            Self::TooLong => Text::new(
                "La contraseña puede tener como máximo 1024 bytes.",
                "The password must not exceed 1024 bytes.",
            ),
        }
    }
}

/// The result of comparing a password with an account's hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordCheck {
    /// Not the account's password, or the account does not exist.
    Wrong,
    /// The account's password.
    Correct,
    /// The account's password, but the hash has outdated parameters and must be replaced.
    CorrectButOutdated,
}

/// Hashes and verifies passwords, at most one per core at a time.
#[derive(Debug, Clone)]
pub struct Passwords {
    permits: Arc<Semaphore>,
    /// Compared with the password for an unknown account, so that this takes as long as for a known account.
    dummy_hash: Arc<str>,
}

/// Checks a new password.
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
    /// Computes the dummy hash, which takes as long as hashing one password.
    pub fn new() -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let dummy_hash = hash(&SecretString::from("the password of no account"))?;
        Ok(Self { permits: Arc::new(Semaphore::new(cores)), dummy_hash: dummy_hash.into() })
    }

    /// The hash to store for a password.
    pub async fn hash(&self, password: SecretString) -> Result<String> {
        self.run(move || hash(&password)).await
    }

    /// Compares a password with the stored hash. Without a hash it is wrong, but the comparison takes as
    /// long.
    pub async fn verify(&self, password: SecretString, stored: Option<&str>) -> Result<PasswordCheck> {
        if password.expose_secret().len() > MAX_BYTES {
            return Ok(PasswordCheck::Wrong);
        }
        let is_known = stored.is_some();
        let stored = stored.unwrap_or(&self.dummy_hash).to_owned();
        let check = self.run(move || verify(&password, &stored)).await?;
        Ok(if is_known { check } else { PasswordCheck::Wrong })
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let permit = self.permits.clone().acquire_owned().await.context("password hashing has stopped")?;
        // The thread owns the permit, so that work whose caller was cancelled still counts against the limit.
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
    let salt = SaltString::encode_b64(&salt).map_err(|error| anyhow!("encoding a salt: {error}"))?;
    let hash = argon2id()
        .hash_password(password.expose_secret().as_bytes(), &salt)
        .map_err(|error| anyhow!("hashing a password: {error}"))?;
    Ok(hash.to_string())
}

fn verify(password: &SecretString, stored: &str) -> Result<PasswordCheck> {
    let stored =
        PasswordHash::new(stored).map_err(|error| anyhow!("parsing a stored password hash: {error}"))?;
    let current = argon2id();
    if current.verify_password(password.expose_secret().as_bytes(), &stored).is_err() {
        return Ok(PasswordCheck::Wrong);
    }
    let is_current = stored.algorithm == argon2::ARGON2ID_IDENT
        && Params::try_from(&stored).is_ok_and(|params| {
            (params.m_cost(), params.t_cost(), params.p_cost()) == (MEMORY_KIB, PASSES, LANES)
        });
    Ok(if is_current { PasswordCheck::Correct } else { PasswordCheck::CorrectButOutdated })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_correct_password_of_a_known_account_is_accepted() {
        let passwords = Passwords::new().unwrap();
        let stored = passwords.hash("correct horse".into()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        let verify = |password: &'static str, stored| passwords.verify(password.into(), stored);
        assert_eq!(verify("correct horse", Some(&*stored)).await.unwrap(), PasswordCheck::Correct);
        assert_eq!(verify("correct horsf", Some(&*stored)).await.unwrap(), PasswordCheck::Wrong);
        assert_eq!(verify("the password of no account", None).await.unwrap(), PasswordCheck::Wrong);
    }

    #[tokio::test]
    async fn a_hash_with_other_parameters_is_correct_but_outdated() {
        let weaker = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(64, 1, 1, None).unwrap());
        let salt = SaltString::encode_b64(b"sixteen bytes ok").unwrap();
        let stored = weaker.hash_password(b"correct horse", &salt).unwrap().to_string();
        let passwords = Passwords::new().unwrap();
        let check = passwords.verify("correct horse".into(), Some(&stored)).await.unwrap();
        assert_eq!(check, PasswordCheck::CorrectButOutdated);
    }

    #[test]
    fn a_new_password_must_not_be_too_short_or_too_long() {
        assert_eq!(check_strength(&"ñandúñandú".into()), Ok(()));
        assert_eq!(check_strength(&"ñandúñand".into()), Err(WeakPassword::TooShort));
        assert_eq!(check_strength(&"a".repeat(1024).into()), Ok(()));
        assert_eq!(check_strength(&"a".repeat(1025).into()), Err(WeakPassword::TooLong));
    }
}
