//! Exports from the link to the last byte: content, options, errors, interrupted transfers and audits.

mod audits;
mod command;
mod content;
mod download;
mod estimate;
mod interruptions;
mod link_errors;
mod links;
mod options;
mod other_programs;
mod person;
mod saved;
mod slow_readers;
