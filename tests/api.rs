//! The API tests: everything that is observable from outside without a browser, against a real PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a failing unwrap shows where the test failed")]
#![expect(clippy::format_collect, clippy::format_push_string, reason = "the tests build short strings only")]

mod access;
mod accounts;
mod alerts;
mod catalog;
mod catalog_search;
mod chunked_bodies;
mod command_line;
mod connection;
mod contract;
mod database_tls;
mod date_filters;
mod demo;
mod embedded;
mod erasure;
mod event_series;
mod exports;
mod generated;
mod guard_rails;
mod harness;
mod health;
mod imports;
mod metrics;
mod migrations;
mod mirror;
mod outage;
mod overload;
mod pagination;
mod panics;
mod plans;
mod player_assets;
mod player_event_partitions;
mod practices;
mod recording;
mod routing;
mod settings;
mod sync;
mod tidy;
mod tokens;
mod unresponsive_database;
mod users;
