//! `hookwarden test`: does the policy do what its teams say it does?

use super::{
    EXIT_NOT_IN_ORDER,
    out::{is_terminal, out},
    policy_files,
};
use crate::{
    clock::{Clock as _, SystemClock},
    policy::{self, Case, Compiled, Overrides, Report, Stages, cases},
    rehearsal::{Difference, Ending, Suite, Touched},
    verify::Catalogue,
};
use anyhow::{Context as _, bail};
use serde::Serialize;
use std::{
    fs,
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

mod junit;

/// Its options.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The policy. Of a folder with a `gate.yaml` the tests are all `*.test.yaml` beside that and in `routes/`; of
    /// another file NAME.yaml it is NAME.test.yaml beside it
    policy: PathBuf,
    /// The stage; without it, the tests are played in every stage
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Play only cases with this text in their name, or in the name of their file
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Also write the results for CI, as XML in the form of `JUnit`
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write one JSON object
    #[arg(long)]
    json: bool,
}

/// Everything that was played.
#[derive(Debug, Default, Serialize)]
struct Tested {
    /// Why nothing was played.
    diagnostics: Report,
    passed: usize,
    failed: usize,
    results: Vec<Played>,
    stages: Vec<Stage>,
}

/// One case in one stage.
#[derive(Debug, Serialize)]
struct Played {
    file: String,
    line: usize,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    env: Option<String>,
    passed: bool,
    /// Otherwise than expected: what, expected, found.
    differences: Vec<[String; 3]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unplayable: Option<String>,
}

/// What the cases of one stage do not touch.
#[derive(Debug, Serialize)]
struct Stage {
    #[serde(skip_serializing_if = "Option::is_none")]
    env: Option<String>,
    untouched_routes: Vec<String>,
    untouched_checks: Vec<(String, Vec<&'static str>)>,
    untouched_keys: Vec<String>,
}

/// Runs it. Exit code 3 if a case fails, or if the policy or its tests are not in order.
///
/// # Errors
/// Standard output, or the file for CI, cannot be written to.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let coloured = is_terminal();
    let mut out = out();
    let tested = test(args).unwrap_or_else(|diagnostics| Tested { diagnostics, ..Tested::default() });
    if let Some(path) = &args.junit {
        fs::write(path, junit::document(&tested.results, &tested.diagnostics))
            .with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&tested)?)?;
    } else if tested.diagnostics.is_empty() {
        tested.write(&mut out, coloured)?;
    } else {
        let mut text = String::new();
        tested.diagnostics.write(&mut text, coloured)?;
        write!(out, "{text}")?;
    }
    if let (Some(only), true, 0) = (&args.only, tested.diagnostics.is_empty(), tested.results.len()) {
        bail!("no case has `{only}` in its name, or in that of its file");
    }
    Ok(if tested.failed == 0 && tested.diagnostics.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(EXIT_NOT_IN_ORDER)
    })
}

fn test(args: &Args) -> Result<Tested, Report> {
    let now = SystemClock.now();
    let known = policy_files::stages(&args.policy)?;
    let stages = match &args.env {
        Some(env) => vec![Some(env.clone())],
        None if known.is_empty() => vec![None],
        None => known.iter().cloned().map(Some).collect(),
    };
    let files = policy_files::tests(&args.policy)?;
    if files.is_empty() {
        let name = args.policy.display().to_string();
        let wanted = if args.policy.is_dir() {
            "a `*.test.yaml` in this folder or in its `routes/`".to_owned()
        } else {
            format!("`{}` beside it", args.policy.with_extension("test.yaml").display())
        };
        return Err(Report::unreadable(&name, "", format!("there are no tests of this policy; write {wanted}")));
    }
    let mut tested = Tested::default();
    for env in stages {
        let source = policy_files::read(&args.policy, env.as_deref());
        let Compiled { policy, .. } = policy::compile(&source, &Catalogue::embedded(), &Overrides::default(), now)?;
        let read = cases(&files, &policy, Stages { known: &known, this: env.as_deref() })?;
        let wanted = |case: &Case| {
            let named = |text: &String| case.name.contains(text) || case.file.contains(text);
            args.only.as_ref().is_none_or(named)
        };
        let on = |day| {
            let overrides = Overrides { ended_enforces: true, ..Overrides::default() };
            policy::compile(&source, &Catalogue::embedded(), &overrides, day).ok().map(|compiled| compiled.policy)
        };
        let (verdicts, touched) = Suite::new(&policy, &read, now).on_their_days(on).play();
        for verdict in verdicts.into_iter().filter(|verdict| wanted(verdict.case)) {
            tested.add(verdict.case, verdict.ending, env.as_ref());
        }
        if args.only.is_none() {
            let Touched { routes, checks, keys } = touched;
            let stage = Stage { env, untouched_routes: routes, untouched_checks: checks, untouched_keys: keys };
            tested.stages.push(stage);
        }
    }
    Ok(tested)
}

impl Tested {
    fn add(&mut self, case: &Case, ending: Ending, env: Option<&String>) {
        let told = |Difference { what, expected, found }: Difference| [what, expected, found];
        let (passed, differences, unplayable) = match ending {
            Ending::Passed => (true, Vec::new(), None),
            Ending::Failed(differences) => (false, differences.into_iter().map(told).collect(), None),
            Ending::Unplayable(why) => (false, Vec::new(), Some(why)),
        };
        if passed {
            self.passed += 1;
        } else {
            self.failed += 1;
        }
        let Case { name, file, line, .. } = case;
        let (name, file, line, env) = (name.clone(), file.clone(), *line, env.cloned());
        self.results.push(Played { file, line, name, env, passed, differences, unplayable });
    }

    fn write(&self, out: &mut impl io::Write, coloured: bool) -> io::Result<()> {
        let (green, red, plain) = if coloured { ("\x1b[32m", "\x1b[31m", "\x1b[0m") } else { ("", "", "") };
        let mut heading = String::new();
        for played in &self.results {
            let env = played.env.as_ref().map_or_else(String::new, |env| format!(" (stage `{env}`)"));
            let file = format!("{}{env}", played.file);
            if file != heading {
                writeln!(out, "{file}")?;
                heading = file;
            }
            if played.passed {
                writeln!(out, "  {green}ok{plain}    {}", played.name)?;
                continue;
            }
            writeln!(out, "  {red}FAIL{plain}  {}  ({}:{})", played.name, played.file, played.line)?;
            if let Some(why) = &played.unplayable {
                writeln!(out, "        cannot be played: {why}")?;
            }
            for [what, expected, found] in &played.differences {
                writeln!(out, "        {what}")?;
                writeln!(out, "          {green}expected  {expected}{plain}")?;
                writeln!(out, "          {red}found     {found}{plain}")?;
            }
        }
        writeln!(out, "\n{} passed, {} failed", self.passed, self.failed)?;
        self.stages.iter().try_for_each(|stage| stage.write(out))
    }
}

impl Stage {
    fn write(&self, out: &mut impl io::Write) -> io::Result<()> {
        if self.untouched_routes.is_empty() && self.untouched_checks.is_empty() && self.untouched_keys.is_empty() {
            return Ok(());
        }
        let env = self.env.as_ref().map_or_else(String::new, |env| format!(" in the stage `{env}`"));
        writeln!(out, "\nWhat no case touches{env}:")?;
        for route in &self.untouched_routes {
            writeln!(out, "  route {route}")?;
        }
        for (route, checks) in &self.untouched_checks {
            writeln!(out, "  of route {route}: {}", checks.join(", "))?;
        }
        for key in &self.untouched_keys {
            writeln!(out, "  key {key}")?;
        }
        Ok(())
    }
}
