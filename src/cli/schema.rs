//! `hookwarden schema`: the language as JSON Schemas, for editors, and as tables of its keys, for people.

use super::out::out;
use crate::policy::{LanguageOf, Table, language};
use anyhow::Context as _;
use std::{fs, io::Write as _, path::PathBuf, process::ExitCode};

/// Its options.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Of which kind of file
    #[arg(value_enum, default_value_t = FileKind::Gate)]
    of: FileKind,
    /// Write all of them into this folder, which is made if it is not there, as `gate.schema.json`, `routes.schema.json`, ...
    #[arg(long, value_name = "FOLDER", conflicts_with = "of")]
    write: Option<PathBuf>,
    /// Print every key with its default and its meaning instead, as Markdown
    #[arg(long, conflicts_with_all = ["of", "write"])]
    reference: bool,
}

/// The kinds of files of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum FileKind {
    /// gate.yaml
    Gate,
    /// routes/*.yaml
    Routes,
    /// env/*.yaml
    Env,
    /// *.test.yaml
    Tests,
    /// providers/*.yaml, a sender of your own
    Providers,
}

/// Runs it.
///
/// # Errors
/// Standard output, or the folder, cannot be written to.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if args.reference {
        let tables = Table::ALL.map(|table| format!("## {}\n\n{}", table.title(), table.markdown()));
        write!(out(), "{}", tables.join("\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let Some(folder) = &args.write else {
        writeln!(out(), "{:#}", language(args.of.into()))?;
        return Ok(ExitCode::SUCCESS);
    };
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
    for (name, of) in FILES {
        let path = folder.join(name);
        let text = format!("{:#}\n", language(of));
        fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What each is called where it is checked in.
const FILES: [(&str, LanguageOf); 5] = [
    ("gate.schema.json", LanguageOf::Gate),
    ("routes.schema.json", LanguageOf::Routes),
    ("env.schema.json", LanguageOf::Env),
    ("tests.schema.json", LanguageOf::Tests),
    ("providers.schema.json", LanguageOf::Providers),
];

impl From<FileKind> for LanguageOf {
    fn from(kind: FileKind) -> Self {
        match kind {
            FileKind::Gate => Self::Gate,
            FileKind::Routes => Self::Routes,
            FileKind::Env => Self::Env,
            FileKind::Tests => Self::Tests,
            FileKind::Providers => Self::Providers,
        }
    }
}
