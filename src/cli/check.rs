//! `hookwarden check`: is a policy in order, and what does it promise?

mod certificates;
mod orphans;

use super::{
    EXIT_NOT_IN_ORDER, counted, handed_places,
    out::{is_terminal, out},
    policy_files,
};
use crate::{
    clock::{Clock as _, SystemClock, Timestamp},
    json::language::way_out,
    keys,
    policy::{self, Compiled, DestinationSummary, Overrides, Policy, Report, RouteSummary, Severity, Source},
    verify::Catalogue,
};
use anyhow::bail;
use serde::Serialize;
use std::{
    fmt::Write as _,
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

/// Its options.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The policy: a file, or a folder with a `gate.yaml`
    #[arg(value_name = "POLICY")]
    policy: PathBuf,
    /// The stage, a file in `env/`; without it, every stage is checked
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Print what takes effect in the end, each value with the line that it comes from: of one route, or of everything
    #[arg(long, value_name = "ROUTE", num_args = 0..=1, default_missing_value = EVERYTHING)]
    effective: Option<String>,
    /// Also look for the keys: are they, and the listeners' certificates, there, readable by nobody else, and in the form that their senders use?
    #[arg(long)]
    keys: bool,
    /// Also read the spool: does anything in it wait for a destination that the policy does not have?
    #[arg(long)]
    spool: bool,
    /// Write one JSON object
    #[arg(long, conflicts_with = "effective")]
    json: bool,
}

/// Stands for `--effective` without a route; no route can be called so.
const EVERYTHING: &str = "*";

/// Everything that there is to say about a policy.
#[derive(Debug, Serialize)]
struct Checked {
    in_order: bool,
    /// Of the one stage that was checked.
    digest: Option<String>,
    stages: Vec<Stage>,
    diagnostics: Report,
    keys: Report,
    spool: Vec<Told>,
    routes: Vec<RouteSummary>,
    destinations: Vec<DestinationSummary>,
}

/// One stage, or the whole policy where it has none.
#[derive(Debug, Serialize)]
struct Stage {
    env: Option<String>,
    in_order: bool,
    digest: Option<String>,
}

/// What was found in the spool.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Told {
    severity: Severity,
    message: String,
}

/// Runs it.
///
/// # Errors
/// Standard output cannot be written to; the route whose values were asked for is not there.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut out = out();
    let stages = match &args.env {
        Some(env) => vec![Some(env.clone())],
        None => match policy_files::stages(&args.policy) {
            Ok(stages) if stages.is_empty() => vec![None],
            Ok(stages) => stages.into_iter().map(Some).collect(),
            Err(_) => vec![None], // told when the files are read
        },
    };
    let now = SystemClock.now();
    let mut checked = Checked::default();
    for env in stages {
        let source = policy_files::read(&args.policy, env.as_deref());
        let compiled = policy::compile(&source, &Catalogue::embedded(), &Overrides::default(), now);
        let compiled = compiled.and_then(|Compiled { policy, warnings }| {
            let warnings = warnings.and(certificates::look(&source, &policy, args.keys));
            if warnings.count(Severity::Error) > 0 { Err(warnings) } else { Ok(Compiled { policy, warnings }) }
        });
        if let (Some(route), Ok(compiled)) = (&args.effective, &compiled) {
            let route = Some(route.as_str()).filter(|route| *route != EVERYTHING);
            effective(&source, &compiled.policy, route, env.as_deref(), &mut out)?;
        }
        let keys = compiled.as_ref().ok().filter(|_| args.keys).map(|compiled| look(&source, &compiled.policy, now));
        checked.add(env, compiled, keys.unwrap_or_default(), args);
    }
    if args.effective.is_some() && checked.in_order {
        return Ok(ExitCode::SUCCESS);
    }
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&checked)?)?;
    } else {
        write!(out, "{}", checked.text(&args.policy.display().to_string(), is_terminal())?)?;
    }
    Ok(if checked.in_order { ExitCode::SUCCESS } else { ExitCode::from(EXIT_NOT_IN_ORDER) })
}

fn effective(
    source: &Source,
    policy: &Policy,
    route: Option<&str>,
    env: Option<&str>,
    out: &mut impl io::Write,
) -> anyhow::Result<()> {
    let Some(text) = policy::effective(source, policy, &Overrides::default(), route) else {
        let names = policy.routes.iter().map(|route| &*route.name);
        let wanted = route.unwrap_or_default();
        bail!("no route is called `{wanted}`{}", way_out(wanted, names));
    };
    if let Some(env) = env {
        writeln!(out, "# in the stage `{env}`")?;
    }
    write!(out, "{text}")?;
    Ok(())
}

/// Whether all keys are there, and what there is to say about them, where the policy names them.
fn look(source: &Source, policy: &Policy, now: Timestamp) -> Report {
    let found = match keys::check(policy, &policy_files::environment, now) {
        Ok(warnings) => keys::warnings_in(source, policy, &warnings),
        Err(errors) => keys::errors_in(source, policy, &errors),
    };
    found.and(handed_places::look(source, policy, false))
}

/// So much of the digest tells policies apart.
const DIGEST_SHOWN: usize = 16;

impl Default for Checked {
    fn default() -> Self {
        Self {
            in_order: true,
            digest: None,
            stages: Vec::new(),
            diagnostics: Report::default(),
            keys: Report::default(),
            spool: Vec::new(),
            routes: Vec::new(),
            destinations: Vec::new(),
        }
    }
}

impl Checked {
    fn add(&mut self, env: Option<String>, compiled: Result<Compiled, Report>, keys: Report, args: &Args) {
        let stage = match compiled {
            Err(diagnostics) => {
                self.diagnostics = std::mem::take(&mut self.diagnostics).and(diagnostics);
                Stage { env, in_order: false, digest: None }
            }
            Ok(Compiled { policy, warnings }) => {
                self.diagnostics = std::mem::take(&mut self.diagnostics).and(warnings);
                let found = keys.count(Severity::Error) == 0;
                self.keys = std::mem::take(&mut self.keys).and(keys);
                if args.spool {
                    add_new(&mut self.spool, orphans::look(&policy));
                }
                self.routes = policy.summary();
                self.destinations = policy.destinations_summary();
                Stage { env, in_order: found, digest: Some(policy.digest) }
            }
        };
        self.in_order &= stage.in_order;
        self.digest.clone_from(&stage.digest);
        self.stages.push(stage);
    }

    fn text(&self, path: &str, coloured: bool) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        self.diagnostics.write(&mut text, coloured)?;
        self.keys.write(&mut text, coloured)?;
        for Told { severity, message } in &self.spool {
            match severity {
                Severity::Error => writeln!(text, "{message}")?,
                Severity::Warning => writeln!(text, "warning: {message}")?,
            }
        }
        if !text.is_empty() {
            text.push('\n');
        }
        let errors = self.diagnostics.count(Severity::Error) + self.keys.count(Severity::Error);
        if !self.in_order {
            writeln!(text, "`{path}` is not in order: {}", counted(errors as u64, "mistake"))?;
            return Ok(text);
        }
        for Stage { env, digest, .. } in &self.stages {
            let stage = env.as_ref().map_or_else(String::new, |env| format!(" in the stage `{env}`"));
            let digest = digest.as_deref().and_then(|digest| digest.get(..DIGEST_SHOWN)).unwrap_or_default();
            let routes = counted(self.routes.len() as u64, "route");
            writeln!(text, "`{path}` is in order{stage}: {routes}, digest {digest}")?;
        }
        if let [_] = self.stages.as_slice() {
            for route in &self.routes {
                write!(text, "\n{route}")?;
            }
            for destination in &self.destinations {
                write!(text, "\n{destination}")?;
            }
        } else {
            writeln!(text, "\nWhat each route promises is told of one stage: `--env NAME`.")?;
        }
        Ok(text)
    }
}

/// Stages have much in common, which is told once.
fn add_new(told: &mut Vec<Told>, more: Vec<Told>) {
    for one in more {
        if !told.contains(&one) {
            told.push(one);
        }
    }
}
