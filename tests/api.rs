//! The API suite: everything that can be seen from outside without a browser, on a real PostgreSQL.

mod generated;
mod harness;
