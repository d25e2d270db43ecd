//! The command line: one file a verb.

pub mod check;
pub mod demo;
pub mod explain;
mod gate_of;
mod handed_places;
pub mod handshake;
pub mod observe;
mod out;
pub mod policy;
pub mod policy_files;
pub mod providers;
pub mod run;
mod running;
pub mod schema;
pub mod send;
pub mod sign;
mod signing;
pub mod spool;
pub mod test;
pub mod verify;
pub mod version;
mod who;

use clap::{Parser, Subcommand};
use std::{io::Write as _, process::ExitCode};

/// The webhook gate in front of WordPress.
#[derive(Debug, Parser)]
#[command(name = "hookwarden", version, about, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 it did not work, and standard error says why; 2 the command line is wrong; \
                          3 the policy, its tests, the requests, the spool or what is tried are not in order, and standard output lists how.";

/// What was looked at is not in order: the code for `check`, `test`, `verify`, `explain`, `policy`, `handshake`, `observe` and `spool fsck`.
pub const EXIT_NOT_IN_ORDER: u8 = 3;

/// As a shell tells of a command that SIGPIPE has ended: quietly, but a script can see that not all was said.
const EXIT_READER_GONE: u8 = 128 + 13;

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the gate
    Run(run::Args),
    /// Check a policy: everything that is wrong with it, and where
    Check(check::Args),
    /// Play the tests of a policy: requests, and what should become of them
    Test(test::Args),
    /// Print the policy language as a JSON Schema, for editors
    Schema(schema::Args),
    /// Verify recorded requests, one JSON object a line
    Verify(verify::Args),
    /// Say how far a request would come, and why its signature does not hold
    Explain(explain::Args),
    /// Sign a test event as a sender would, and deliver it to a URL
    Send(send::Args),
    /// Print a test event, signed as its sender would, for curl, an editor or a script
    Sign(sign::Args),
    /// Show a gate at work, with its own sample origin and signed test events
    Demo(demo::Args),
    /// Look at the queue, export it, check its files, retry or drop events
    Spool(spool::Args),
    /// See what policy a running gate has, load it again, or go back to the one before
    Policy(policy::Args),
    /// Let a sender hand its key over to a running gate, and see which URLs vendors want opened
    Handshake(handshake::Args),
    /// See what a running gate would have refused where routes are tried, and whether it is safe to enforce
    Observe(observe::Args),
    /// List the senders that this build knows
    Providers(providers::Args),
    /// Print version and build
    Version(version::Args),
}

/// Runs one verb.
///
/// # Errors
/// What went wrong, for a person to read; exit code 1.
pub fn run() -> anyhow::Result<ExitCode> {
    let done = verb(Cli::parse().verb).and_then(|code| {
        // What is left in the buffer would be lost without a word at the end of the process.
        out::out().flush()?;
        Ok(code)
    });
    match done {
        Err(error) if out::reader_gone(&error) => Ok(ExitCode::from(EXIT_READER_GONE)),
        done => done,
    }
}

/// `1 event`, `2 events`.
fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn verb(verb: Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::Run(args) => run::run(args),
        Verb::Check(args) => check::run(&args),
        Verb::Test(args) => test::run(&args),
        Verb::Schema(args) => schema::run(&args),
        Verb::Verify(args) => verify::run(&args),
        Verb::Explain(args) => explain::run(&args),
        Verb::Send(args) => send::run(&args),
        Verb::Sign(args) => sign::run(&args),
        Verb::Demo(args) => demo::run(args),
        Verb::Spool(args) => spool::run(&args),
        Verb::Policy(args) => policy::run(&args),
        Verb::Handshake(args) => handshake::run(&args),
        Verb::Observe(args) => observe::run(&args),
        Verb::Providers(args) => providers::run(&args),
        Verb::Version(args) => version::run(&args),
    }
}
