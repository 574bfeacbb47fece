//! Exports, from the link to the last byte: content, options, refusals, broken transfers, and the record of it all.

mod command;
mod content;
mod download;
mod endings;
mod links;
mod options;
mod record;
mod refusals;
mod slow_readers;
