//! `hookwarden check`: is a policy in order, and what does it promise?

use super::{EXIT_NOT_IN_ORDER, policy_files};
use crate::{
    clock::{Clock as _, SystemClock},
    keys,
    policy::{self, Compiled, Overrides, Policy, Report, RouteSummary, Severity},
    verify::Catalogue,
};
use serde::Serialize;
use std::{
    fmt::Write as _,
    io::{self, IsTerminal as _, Write as _},
    path::PathBuf,
    process::ExitCode,
};

/// Its options.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The policy: a file, or a folder with a `gate.yaml`
    #[arg(value_name = "POLICY", required_unless_present = "schema")]
    policy: Option<PathBuf>,
    /// Also look for the keys: are they there, readable by nobody else, and in the form that their senders use?
    #[arg(long)]
    keys: bool,
    /// Write one JSON object
    #[arg(long)]
    json: bool,
    /// Write the language as a JSON Schema, for editors, and check nothing
    #[arg(long, exclusive = true)]
    schema: bool,
}

/// Everything that there is to say about a policy.
#[derive(Debug, Serialize)]
struct Checked {
    in_order: bool,
    digest: Option<String>,
    diagnostics: Report,
    keys: Vec<Told>,
    routes: Vec<RouteSummary>,
}

/// What was found about keys.
#[derive(Debug, Serialize)]
struct Told {
    severity: Severity,
    message: String,
}

/// Runs it.
///
/// # Errors
/// Standard output cannot be written to.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout().lock();
    let Some(path) = args.policy.as_ref().filter(|_| !args.schema) else {
        writeln!(out, "{:#}", policy::language())?;
        return Ok(ExitCode::SUCCESS);
    };
    let checked = check(path, args.keys);
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&checked)?)?;
    } else {
        write!(out, "{}", checked.text(&path.display().to_string(), io::stdout().is_terminal())?)?;
    }
    Ok(if checked.in_order { ExitCode::SUCCESS } else { ExitCode::from(EXIT_NOT_IN_ORDER) })
}

fn check(path: &std::path::Path, with_keys: bool) -> Checked {
    let now = SystemClock.now();
    let read = policy_files::read(path);
    let compiled = read.and_then(|source| policy::compile(&source, &Catalogue::embedded(), &Overrides::default(), now));
    match compiled {
        Err(diagnostics) => {
            Checked { in_order: false, digest: None, diagnostics, keys: Vec::new(), routes: Vec::new() }
        }
        Ok(Compiled { policy, warnings }) => {
            let (found, keys) = if with_keys { look(&policy, now) } else { (true, Vec::new()) };
            Checked {
                in_order: found,
                digest: Some(policy.digest.clone()),
                diagnostics: warnings,
                keys,
                routes: policy.summary(),
            }
        }
    }
}

/// Whether all keys are there, and what there is to say about them.
fn look(policy: &Policy, now: crate::clock::Timestamp) -> (bool, Vec<Told>) {
    let told = |severity| move |message| Told { severity, message };
    match keys::check(policy, &policy_files::environment, now) {
        Ok(warnings) => (true, warnings.iter().map(ToString::to_string).map(told(Severity::Warning)).collect()),
        Err(errors) => (false, errors.iter().map(ToString::to_string).map(told(Severity::Error)).collect()),
    }
}

/// So much of the digest tells policies apart.
const DIGEST_SHOWN: usize = 16;

impl Checked {
    fn text(&self, path: &str, coloured: bool) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        self.diagnostics.write(&mut text, coloured)?;
        for Told { severity, message } in &self.keys {
            match severity {
                Severity::Error => writeln!(text, "{message}")?,
                Severity::Warning => writeln!(text, "warning: {message}")?,
            }
        }
        if !text.is_empty() {
            text.push('\n');
        }
        let errors = self.diagnostics.count(Severity::Error);
        let errors = errors + self.keys.iter().filter(|told| told.severity == Severity::Error).count();
        match self.digest.as_deref().and_then(|digest| digest.get(..DIGEST_SHOWN)) {
            Some(digest) if self.in_order => {
                writeln!(text, "`{path}` is in order: {}, digest {digest}", counted(self.routes.len(), "route"))?;
            }
            Some(_) | None => writeln!(text, "`{path}` is not in order: {}", counted(errors, "mistake"))?,
        }
        if self.in_order {
            for route in &self.routes {
                write!(text, "\n{route}")?;
            }
        }
        Ok(text)
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
