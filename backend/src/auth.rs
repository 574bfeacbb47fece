//! Who is calling, and how they prove it: passwords, sessions, and the four kinds of token.

pub mod access_token;
mod hub_token;
mod jwt;
pub mod keys;
mod opaque;
pub mod password;
pub mod platform_token;
pub mod player_token;
pub mod rate_limit;
