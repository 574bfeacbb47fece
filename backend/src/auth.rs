//! Who is calling, and how they prove it: passwords, sessions, and the four kinds of token.
//!
//! Knows nothing of GraphQL. A bearer token becomes an [`identity::Identity`], with which the rules of `domain` decide.

use anyhow::{Context as _, Result};

pub mod access_token;
pub mod account;
pub mod api_token;
mod hub_token;
pub mod identity;
mod jwt;
pub mod keys;
mod opaque;
pub mod password;
pub mod platform_token;
pub mod player_token;
pub mod rate_limit;
pub mod refresh_cookie;
pub mod session;
pub mod sign_in;

use crate::config::Config;
use crate::config::access::TeacherAdminScope;
use keys::Keys;
use password::Passwords;
use platform_token::PlatformTokens;
use rate_limit::LoginLimits;
use refresh_cookie::Transport;

/// What proving takes: keys, and what must be remembered between requests.
pub struct Auth {
    /// Sign our own tokens and links.
    pub keys: Keys,
    /// Hash passwords.
    pub passwords: Passwords,
    /// Slow guessing down.
    pub login_limits: LoginLimits,
    /// Read the learning platform's tokens.
    pub platform: PlatformTokens,
    /// How far a Teacher Admin may look.
    pub teacher_admin_scope: TeacherAdminScope,
    /// How the refresh cookie may travel.
    pub transport: Transport,
}

impl Auth {
    /// Sets everything up as the settings say.
    pub fn new(config: &Config) -> Result<Self> {
        let encrypted = config.hub.url.scheme() == "https";
        Ok(Self {
            keys: Keys::new(config.app_keys()).context("APP_KEY")?,
            passwords: Passwords::new()?,
            login_limits: LoginLimits::new(&config.auth),
            platform: PlatformTokens::new(&config.auth)?,
            teacher_admin_scope: config.access.teacher_admin_scope,
            transport: if encrypted { Transport::Encrypted } else { Transport::Plain },
        })
    }
}
