//! Who is calling, and how they prove it: passwords, sessions, and the four kinds of token.

pub mod keys;
pub mod password;
pub mod rate_limit;
