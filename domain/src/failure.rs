//! The error codes that GraphQL, HTTP and the command line share.

/// The kind of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// No valid credential was sent (HTTP 401).
    Unauthenticated,
    /// The viewer may not do this (HTTP 403).
    Forbidden,
    /// A Teacher Admin must filter by course or lesson first (HTTP 403).
    ScopeRequired,
    /// An input is invalid. `field` names it (HTTP 422).
    BadUserInput,
    /// The object does not exist (HTTP 404).
    NotFound,
    /// The request conflicts with the current state (HTTP 409).
    Conflict,
    /// Too many requests. `retryAfterSeconds` says when to retry (HTTP 429, or 503 if the hub is busy with other requests).
    RateLimited,
    /// The GraphQL document exceeds a limit of depth, complexity or size (HTTP 400).
    TooComplex,
    /// The hub cannot reach its database. `retryAfterSeconds` says when to retry (HTTP 503).
    Unavailable,
    /// The hub failed. The request ID identifies the log entry (HTTP 500).
    Internal,
}

impl ErrorCode {
    /// Every code.
    pub const ALL: [Self; 10] = [
        Self::Unauthenticated,
        Self::Forbidden,
        Self::ScopeRequired,
        Self::BadUserInput,
        Self::NotFound,
        Self::Conflict,
        Self::RateLimited,
        Self::TooComplex,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The code as clients see it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::ScopeRequired => "SCOPE_REQUIRED",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::NotFound => "NOT_FOUND",
            Self::Conflict => "CONFLICT",
            Self::RateLimited => "RATE_LIMITED",
            Self::TooComplex => "TOO_COMPLEX",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }

    /// The HTTP status of the code outside GraphQL.
    pub const fn http_status(self) -> u16 {
        match self {
            Self::Unauthenticated => 401,
            Self::Forbidden | Self::ScopeRequired => 403,
            Self::BadUserInput => 422,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::RateLimited => 429,
            Self::TooComplex => 400,
            Self::Unavailable => 503,
            Self::Internal => 500,
        }
    }

    /// The code with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == name)
    }
}
