//! `hookwarden policy`: what is loaded in the gate that runs; read it again; go back to the one before.

use super::{
    EXIT_NOT_IN_ORDER,
    gate_of::{self, Asked, Which},
    out::out,
    who::Who,
};
use crate::control::{
    orders::{Reply, Standing},
    socket::Ask,
};
use anyhow::Context as _;
use std::{
    fmt::{self, Write as _},
    io::Write as _,
    process::ExitCode,
};

/// Its options.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// What is loaded, since when, and what was wrong with the last reload; exit code 3 if something was
    Show(Which),
    /// Read policy, keys and certificates again now; exit code 3 if they are not in order
    Reload(Act),
    /// Go back to the policy before, with its keys, until the files change or a reload is asked for
    Rollback(Act),
}

#[derive(Debug, clap::Args)]
struct Act {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    who: Who,
}

/// Runs it.
///
/// # Errors
/// No gate runs there, or it does not answer.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (which, wish) = match &args.verb {
        None => (&Which::default(), Ask::Policy),
        Some(Verb::Show(which)) => (which, Ask::Policy),
        Some(Verb::Reload(Act { which, who })) => {
            (which, Ask::Reload { actor: who.actor()?, reason: who.reason.clone() })
        }
        Some(Verb::Rollback(Act { which, who })) => {
            (which, Ask::Rollback { actor: who.actor()?, reason: who.reason.clone() })
        }
    };
    let answer = gate_of::ask(&args.asked.gate, which, &wish)?;
    let mut out = out();
    let reply: Reply = serde_json::from_value(answer).context("the gate is of another version")?;
    if args.asked.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&reply)?)?;
    } else {
        let mut text = String::new();
        if !matches!(wish, Ask::Policy) {
            writeln!(text, "{}\n", reply.told)?;
        }
        write(&mut text, &reply.policy)?;
        write!(out, "{text}")?;
    }
    let in_order = reply.ok && reply.policy.last_error.is_none();
    Ok(if in_order { ExitCode::SUCCESS } else { ExitCode::from(EXIT_NOT_IN_ORDER) })
}

fn write(text: &mut String, policy: &Standing) -> fmt::Result {
    let Standing { path, env, digest, routes, loaded_at, loaded_by, watched, needs_restart, previous, .. } = policy;
    writeln!(text, "policy    {}", path.as_deref().unwrap_or("none: everything passes through"))?;
    if let Some(env) = env {
        writeln!(text, "env       {env}")?;
    }
    writeln!(text, "digest    {digest}")?;
    writeln!(text, "loaded    {loaded_at}, {loaded_by}; {routes} route{}", if *routes == 1 { "" } else { "s" })?;
    let looked_at = if *watched { "when its files change" } else { "only when asked to" };
    writeln!(text, "reload    {looked_at}")?;
    if let Some(previous) = previous {
        writeln!(text, "before    {}, loaded {}", previous.digest, previous.loaded_at)?;
    }
    if !needs_restart.is_empty() {
        writeln!(text, "restart   needed for what it says under {}", needs_restart.join(", "))?;
    }
    if policy.differs {
        writeln!(text, "files     say something else")?;
    }
    if let Some(error) = &policy.last_error {
        writeln!(text, "\nnot in force: what was read at {}, {}\n\n{}", error.at, error.by, error.report)?;
    }
    Ok(())
}
