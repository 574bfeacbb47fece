//! The rows of the tables and their queries, one file per table. Queries return a [`QueryResult`].

/// The result of a query.
pub use diesel::QueryResult;

pub mod alarm;
pub mod api_token;
pub mod copy_rows;
pub mod course;
pub mod dataset;
pub mod erasure;
pub mod export_audit;
pub mod import;
pub mod import_rejection;
pub mod import_transaction;
pub mod installation;
pub mod mirrored;
pub mod notification;
pub mod order;
pub mod outbox_mail;
pub mod personal_record;
pub mod platform_event;
pub mod player_event;
pub mod player_event_month;
pub mod practice;
pub mod practice_request;
pub mod reference;
pub mod reservation;
pub mod saved_export;
pub mod scheduled_job;
pub mod seeding;
pub mod session;
pub mod session_settings;
pub mod snapshot_table;
pub mod staged_snapshot;
pub mod sync_run;
pub mod telemetry_delivery;
pub mod telemetry_driver;
pub mod user;
pub mod user_email;
