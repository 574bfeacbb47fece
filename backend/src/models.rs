//! Rows of the tables and their queries, one file a table; answers are `QueryResult`s.

pub mod api_token;
pub mod session;
pub mod user;
