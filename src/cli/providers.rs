//! `hookwarden providers`: which senders does this build know, and what are their signatures worth?

use super::out::{Out, out};
use crate::verify::{Catalogue, Provider};
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
            None => bail!("unknown sender `{name}`; `hookwarden providers` lists them"),
        },
        Some(Verb::Lint { file }) => return lint(file, &mut out),
    }
    Ok(ExitCode::SUCCESS)
}

fn told(provider: &Provider, width: usize, as_json: bool) -> String {
    let signs = provider.scheme.describe();
    let (uncovered, repeats) = (provider.uncovered(), provider.repeats_by());
    if as_json {
        let told = json!({
            "name": provider.name,
            "aliases": provider.aliases,
            "signs": signs,
            "header": provider.scheme.signature_header(),
            "not_covered": uncovered,
            "repeats_known_by": repeats,
            "retry_horizon_s": provider.retry_horizon.as_secs(),
            "answer_by_s": provider.answer_by.as_secs(),
            "documentation": provider.documentation,
        });
        return told.to_string();
    }
    format!(
        "{:<width$} {signs}\n{:width$} not covered: {uncovered}; repeats known by: {repeats}\n{:width$} {}",
        provider.name, "", "", provider.documentation
    )
}

fn lint(file: &std::path::Path, out: &mut Out) -> anyhow::Result<ExitCode> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    match Provider::from_yaml(&text) {
        Ok(provider) => {
            writeln!(out, "{}", told(&provider, provider.name.len(), false))?;
            let coverage = provider.scheme.coverage();
            if !coverage.time {
                writeln!(
                    out,
                    "warning: no time is signed: a captured request is valid for ever; a policy has to say how long to remember"
                )?;
            }
            if !coverage.id && provider.event_key.is_empty() {
                writeln!(
                    out,
                    "warning: nothing that is signed names the event: a retry with another body is another event"
                )?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(mistakes) => {
            for mistake in mistakes {
                let before = text.get(..mistake.at.start).unwrap_or(&text);
                let line = before.matches('\n').count() + 1;
                let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
                writeln!(out, "{}:{line}:{column}: {}", file.display(), mistake.message)?;
            }
            Ok(ExitCode::from(super::EXIT_NOT_IN_ORDER))
        }
    }
}
