//! Arguments to a call in [`hookwarden::cli`], and its result to an exit code.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

fn main() -> ExitCode {
    match hookwarden::cli::run() {
        Ok(code) => code,
        Err(error) => {
            // Nobody may be there to read it: that is no reason to panic.
            let _ = writeln!(io::stderr(), "hookwarden: {error:#}");
            ExitCode::FAILURE
        }
    }
}
