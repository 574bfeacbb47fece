//! Authentication: passwords, sessions and the four kinds of token.
//!
//! Knows nothing of GraphQL. A bearer token becomes an [`identity::Identity`], which the rules of `domain`
//! authorize.

use anyhow::{Context as _, Result};

pub mod access_token;
pub mod account;
pub mod api_token;
pub mod grant;
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
pub mod signed_link;
pub mod webhook_signature;

use crate::config::Config;
use crate::config::access::TeacherAdminScope;
use keys::Keys;
use password::Passwords;
use platform_token::PlatformTokens;
use rate_limit::LoginLimits;
use refresh_cookie::Transport;

/// The keys, settings and in-memory state of authentication.
pub struct Auth {
    /// The keys that sign our own tokens and links.
    pub keys: Keys,
    pub passwords: Passwords,
    pub login_limits: LoginLimits,
    /// Verifies the learning platform's tokens.
    pub platform: PlatformTokens,
    pub teacher_admin_scope: TeacherAdminScope,
    /// Whether the refresh cookie requires HTTPS.
    pub transport: Transport,
}

impl Auth {
    /// Builds it from the settings.
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
