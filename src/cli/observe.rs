//! `hookwarden observe report`: what would have been refused where routes are tried, and is it safe to enforce?

use super::{
    EXIT_NOT_IN_ORDER,
    gate_of::{self, Asked, Which},
    out::out,
};
use crate::control::{
    observed::{Judged, ObserveReport, Refused, RouteReport, Unjudged, age},
    socket::Ask,
};
use anyhow::Context as _;
use serde_json::Value;
use std::{
    fmt::{self, Write as _},
    io::Write as _,
    process::ExitCode,
    time::Duration,
};

/// Its options.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Of each route that is tried: what would have been refused, and what speaks against enforcing; exit code 3 if
    /// something does
    Report(Which),
}

/// Runs it.
///
/// # Errors
/// No gate runs there, or it does not answer.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Verb::Report(which) = &args.verb;
    let mut answer = gate_of::ask(&args.asked.gate, which, &Ask::Observed)?;
    let report = answer.get_mut("observed").map(Value::take).unwrap_or_default();
    let report: ObserveReport = serde_json::from_value(report).context("the gate is of another version")?;
    let mut out = out();
    if args.asked.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
    } else {
        let mut text = String::new();
        write(&mut text, &report)?;
        write!(out, "{text}")?;
    }
    Ok(if report.safe { ExitCode::SUCCESS } else { ExitCode::from(EXIT_NOT_IN_ORDER) })
}

fn write(text: &mut String, report: &ObserveReport) -> fmt::Result {
    if report.routes.is_empty() {
        return writeln!(text, "no route is tried: what the policy says is enforced");
    }
    for (index, route) in report.routes.iter().enumerate() {
        if index > 0 {
            writeln!(text)?;
        }
        route_of(text, route)?;
    }
    Ok(())
}

fn route_of(text: &mut String, report: &RouteReport) -> fmt::Result {
    let RouteReport { route, observes, until, since, observed_s, judged, refused, unjudged, because, .. } = report;
    writeln!(text, "{route}  ({})", observes.join(", "))?;
    writeln!(text, "  since     {since}, for {}", age(Duration::from_secs(*observed_s)))?;
    writeln!(text, "  until     {until}; then it enforces")?;
    for Judged { by, good, repeats, refused } in judged {
        let by = if observes.len() > 1 { format!("by {by}: ") } else { String::new() };
        let total = good + repeats + refused;
        let known = if *repeats > 0 { format!(", {repeats} repeats") } else { String::new() };
        writeln!(text, "  judged    {by}{total}: {good} good{known}, {refused} would have been refused")?;
    }
    for Refused { check, code, count, last } in refused {
        writeln!(text, "  refused   {check}: {count} {code}, last {last}")?;
    }
    for Unjudged { reason, count, last } in unjudged {
        writeln!(text, "  unjudged  {count} {reason}, last {last}")?;
    }
    if because.is_empty() {
        return writeln!(text, "  enforce   yes: nothing speaks against it");
    }
    writeln!(text, "  enforce   not yet:")?;
    because.iter().try_for_each(|doubt| writeln!(text, "            - {doubt}"))
}

#[cfg(test)]
mod tests;
