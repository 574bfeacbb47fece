//! The `dataporter` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    backend::cli::run()
}
