//! Arguments to a call in [`hookwarden::cli`], and its result to an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    match hookwarden::cli::run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("hookwarden: {error:#}");
            ExitCode::FAILURE
        }
    }
}
