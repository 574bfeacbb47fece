//! The error codes that every way into the product shares.

/// What kind of failure a request met; the same codes in GraphQL, in problem documents and on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// Nobody is signed in, or the credential is no longer good (HTTP 401).
    Unauthenticated,
    /// The viewer may not do this (HTTP 403).
    Forbidden,
    /// A Teacher Admin must name a course or lesson first (HTTP 403).
    ScopeRequired,
    /// An input is wrong; `field` says which (HTTP 422).
    BadUserInput,
    /// There is no such thing (HTTP 404).
    NotFound,
    /// The request contradicts what is stored (HTTP 409).
    Conflict,
    /// Too many requests; `retryAfterSeconds` says when to come back (HTTP 429; 503 where the hub is busy with others').
    RateLimited,
    /// The GraphQL document is too deep, too wide or too large (HTTP 400).
    TooComplex,
    /// The hub cannot reach its database for now; `retryAfterSeconds` says when to come back (HTTP 503).
    Unavailable,
    /// A fault of ours; the request id helps to find it (HTTP 500).
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

    /// The HTTP status that goes with the code outside GraphQL.
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
