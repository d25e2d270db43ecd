//! `hookwarden version`: what is running here?

use super::out::out;
use crate::verify::Catalogue;
use serde_json::json;
use std::{io::Write as _, process::ExitCode};

/// Its options.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// The Pingora release that the edge is built on; pinned exactly in Cargo.toml.
const PINGORA: &str = "0.9.1";

/// What it was built from, where whoever built it said so.
const COMMIT: Option<&str> = option_env!("HOOKWARDEN_COMMIT");

/// Runs it.
///
/// # Errors
/// Standard output is closed.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let version = env!("CARGO_PKG_VERSION");
    let senders = Catalogue::embedded().iter().count();
    if args.json {
        let told = json!({ "version": version, "commit": COMMIT, "pingora": PINGORA, "senders": senders, "tls": "rustls, aws-lc-rs" });
        writeln!(out(), "{told}")?;
    } else {
        let commit = COMMIT.map_or_else(String::new, |commit| format!("commit {commit}, "));
        writeln!(out(), "hookwarden {version} ({commit}pingora {PINGORA}, rustls with aws-lc-rs, {senders} senders)")?;
    }
    Ok(ExitCode::SUCCESS)
}
