//! The API suite: everything that can be seen from outside without a browser, on a real PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]
#![expect(clippy::format_collect, clippy::format_push_string, reason = "what tests put together is small")]

mod access;
mod accounts;
mod alerts;
mod busy;
mod catalog;
mod command_line;
mod connection;
mod contract;
mod cursors;
mod database_silence;
mod database_tls;
mod dates;
mod demo;
mod embedded;
mod exports;
mod generated;
mod guard_rails;
mod harness;
mod health;
mod imports;
mod metrics;
mod migrations;
mod mirror;
mod names;
mod outage;
mod panics;
mod pieces;
mod plans;
mod player_event_partitions;
mod player_files;
mod recording;
mod series;
mod settings;
mod sync;
mod tidy;
mod tokens;
mod users;
mod ways_to_the_hub;
