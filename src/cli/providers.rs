//! `hookwarden providers`: which senders does this build know, and what are their signatures worth?

use super::out::{Out, out, printable};
use crate::{
    clock::{Clock as _, SystemClock},
    json::language::nearest,
    verify::{self, Catalogue, Finding, Provenance, Provider},
};
use anyhow::{Context as _, bail};
use serde_json::json;
use std::{fs, io::Write as _, path::PathBuf, process::ExitCode};

/// Its options.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Print one sender's entry as it is written
    Show {
        /// Its name
        name: String,
    },
    /// Check a sender of your own
    Lint {
        /// A YAML file like those in policies/providers
        file: PathBuf,
    },
}

/// Runs it.
///
/// # Errors
/// An unknown name, or a file that cannot be read.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let catalogue = Catalogue::embedded();
    let mut out = out();
    match &args.verb {
        None => {
            let width = catalogue.names().map(str::len).max().unwrap_or_default();
            catalogue.iter().try_for_each(|provider| writeln!(out, "{}", told(provider, width, args.json)))?;
        }
        Some(Verb::Show { name }) => match catalogue.find(name) {
            Some(provider) => write!(out, "{}", provider.text)?,
            None => bail!("unknown sender `{name}`{}", way_out(name, &catalogue)),
        },
        Some(Verb::Lint { file }) => return lint(file, &mut out),
    }
    Ok(ExitCode::SUCCESS)
}

/// "; did you mean ..." for a name that is none. There are too many to list.
pub(super) fn way_out(written: &str, catalogue: &Catalogue) -> String {
    let names = catalogue.iter().flat_map(|provider| std::iter::once(&provider.name).chain(&provider.aliases));
    match nearest(written, names.map(String::as_str)) {
        Some(name) => format!("; did you mean `{name}`?"),
        None => "; `hookwarden providers` lists them".to_owned(),
    }
}

fn told(provider: &Provider, width: usize, as_json: bool) -> String {
    let signs = provider.scheme.describe();
    let (uncovered, repeats) = (provider.uncovered(), provider.repeats_by());
    if as_json {
        let source = json!({
            "scheme": provider.source.scheme.map(Provenance::describe),
            "service": provider.source.service.map(Provenance::describe),
            "how": provider.source.how,
            "checked": provider.source.checked,
        });
        let told = json!({
            "name": provider.name,
            "aliases": provider.aliases,
            "like": provider.like,
            "signs": signs,
            "signature": provider.scheme.signature_at(),
            "key": provider.scheme.key_format(),
            "not_covered": uncovered,
            "repeats_known_by": repeats,
            "handshakes": provider.handshakes.iter().map(|handshake| &handshake.name).collect::<Vec<_>>(),
            "config": provider.config().collect::<Vec<_>>(),
            "max_age_s": provider.max_age.map(|age| age.as_secs()),
            "max_future_s": provider.max_age.map(|_| provider.max_future.as_secs()),
            "retry_horizon_s": provider.retry_horizon.as_secs(),
            "answer_by_ms": provider.answer_by.as_millis(),
            "answers": provider.answers,
            "retries": provider.retries,
            "disables": provider.disables,
            "source": source,
            "documentation": provider.documentation,
        });
        return told.to_string();
    }
    let indent = " ".repeat(width);
    let calls = provider.handshakes_by_name();
    format!(
        "{:<width$} {signs}\n{indent} not covered: {uncovered}; repeats known by: {repeats}\n{indent} validation calls: {calls}; {}",
        provider.name, provider.documentation
    )
}

fn lint(file: &std::path::Path, out: &mut Out) -> anyhow::Result<ExitCode> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    let (provider, findings) = verify::lint(&text, &Catalogue::embedded(), SystemClock.now());
    if let Some(provider) = &provider {
        writeln!(out, "{}", told(provider, provider.name.len(), false))?;
        writeln!(out, "key: {}; known from {}", provider.scheme.key_format(), provider.known_from())?;
    }
    for Finding { is_mistake, what } in &findings {
        let before = text.get(..what.at.start).unwrap_or(&text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let kind = if *is_mistake { "" } else { "warning: " };
        writeln!(out, "{}:{line}:{column}: {kind}{}", file.display(), printable(&what.message))?;
    }
    let in_order = provider.is_some() && !findings.iter().any(|finding| finding.is_mistake);
    Ok(if in_order { ExitCode::SUCCESS } else { ExitCode::from(super::EXIT_NOT_IN_ORDER) })
}
