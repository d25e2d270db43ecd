//! `hookwarden check`. (seam: to be written)

use std::process::ExitCode;

/// Its options.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs it.
///
/// # Errors
/// What went wrong, for a person to read.
#[expect(clippy::needless_pass_by_value, clippy::unnecessary_wraps, reason = "seam")]
pub fn run(_args: &Args) -> anyhow::Result<ExitCode> {
    Ok(ExitCode::FAILURE)
}
