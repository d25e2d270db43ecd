//! From the path of a policy to a value that can be put in force, or to everything that is wrong with it.

use crate::{
    cli::{handed_places, policy_files},
    clock::Timestamp,
    deliver::BadDestination,
    edge::ReloadError,
    keys::{self, KeyError},
    policy::{self, Compiled, Overrides, Policy, Report, Severity, Source},
    secret::Secret,
    verdict::Chain,
    verify::{Catalogue, Keys},
};
use std::{
    collections::BTreeMap,
    fmt,
    hash::RandomState,
    io::{self, IsTerminal as _, Write as _},
    path::Path,
    sync::Arc,
};
use tracing::{error, warn};

/// A policy with its keys, as they were at one moment.
#[derive(Clone)]
pub(super) struct Loaded {
    /// Of which it was compiled; none for a gate without a policy.
    pub(super) source: Option<Arc<Source>>,
    pub(super) policy: Arc<Policy>,
    pub(super) keys: Arc<Keys>,
    /// What destinations are signed for or logged in to with, by name.
    pub(super) secrets: BTreeMap<String, Secret>,
    /// Compares equal while its secrets are the same.
    pub(super) mark: u64,
    /// The policy names another secret of the gate's own than the one that goes on being used.
    pub(super) other_secret: bool,
    pub(super) warnings: Warnings,
}

/// What may not be meant as it is.
#[derive(Clone, Default)]
pub(super) struct Warnings(Report);

/// Why a policy cannot be put in force.
#[derive(Debug)]
pub(super) enum Refused {
    /// Its texts.
    Policy(Report),
    /// Secrets that cannot be had, where the policy names them.
    Keys(Report),
    /// What the edge needs for it.
    Edge(ReloadError),
    /// A destination.
    Destination(BadDestination),
    /// The compiler panicked.
    Defect,
}

/// What became of an attempt to load, and by which policy's references secrets are watched from then on.
pub(super) struct Attempt {
    pub(super) outcome: Result<Loaded, Refused>,
    pub(super) compiled: Option<Arc<Policy>>,
    pub(super) mark: u64,
}

/// Compiles a policy and looks for its keys. `home` is the spool's folder of a gate that runs: one that the policy names
/// now is made when the gate starts with it, and not before. Takes its time: not for a thread that serves.
pub(super) fn load(
    source: &Arc<Source>,
    overrides: &Overrides,
    catalogue: &Catalogue,
    now: Timestamp,
    by: &RandomState,
    home: Option<&Path>,
) -> Attempt {
    let Compiled { policy, warnings } = match policy::compile(source, catalogue, overrides, now) {
        Ok(compiled) => compiled,
        Err(report) => return Attempt { outcome: Err(Refused::Policy(report)), compiled: None, mark: 0 },
    };
    let policy = Arc::new(policy);
    // Before the keys are read: a change between the two is seen as one at the next look.
    let mark = keys::mark(&policy, &policy_files::environment, now, by);
    let outcome = with_keys(policy.clone(), Some(source), now, home).map(|loaded| {
        let warnings = Warnings(warnings.and(loaded.warnings.0));
        Loaded { source: Some(source.clone()), mark, warnings, ..loaded }
    });
    Attempt { outcome, compiled: Some(policy), mark }
}

/// The same policy at another time: what had an end may have ended. Its secrets are not asked for, because what was
/// allowed until now must end whether or not they can be read.
pub(super) fn again(
    before: &Loaded,
    source: &Source,
    overrides: &Overrides,
    catalogue: &Catalogue,
    now: Timestamp,
) -> Result<Loaded, Refused> {
    let Compiled { policy, warnings } = policy::compile(source, catalogue, overrides, now).map_err(Refused::Policy)?;
    Ok(Loaded { policy: Arc::new(policy), warnings: Warnings(warnings), ..before.clone() })
}

/// Looks for the keys of a policy that is in order; without a source, of one that nobody wrote.
pub(super) fn with_keys(
    policy: Arc<Policy>,
    source: Option<&Source>,
    now: Timestamp,
    home: Option<&Path>,
) -> Result<Loaded, Refused> {
    let refused = |errors: Vec<KeyError>| {
        Refused::Keys(match source {
            Some(source) => keys::errors_in(source, &policy, &errors),
            None => errors.iter().fold(Report::default(), |report, error| {
                report.and(Report::of_file("a gate without a policy", Chain(error).to_string()))
            }),
        })
    };
    let environment = &policy_files::environment;
    // First whether all can be had: what is refused leaves no secret of the gate's own behind.
    keys::check(&policy, environment, now).map_err(refused)?;
    let places = source.map(|source| handed_places::look(source, &policy, true)).unwrap_or_default();
    if places.count(Severity::Error) > 0 {
        return Err(Refused::Keys(places));
    }
    let home = home.unwrap_or(&policy.settings.spool.folder);
    let keys = keys::load_beside(home, &policy, environment, now);
    let secrets = keys::of_destinations(&policy, environment);
    match (keys, secrets) {
        (Ok((keys, found)), Ok(secrets)) => {
            let warnings = source.map(|source| keys::warnings_in(source, &policy, &found));
            let warnings = Warnings(warnings.unwrap_or_default());
            let keys = Arc::new(keys);
            Ok(Loaded { source: None, policy, keys, secrets, mark: 0, other_secret: false, warnings })
        }
        (keys, secrets) => Err(refused(keys.err().into_iter().chain(secrets.err()).flatten().collect())),
    }
}

impl Loaded {
    /// Under another secret of the gate's own all that is remembered would look new, and every captured request would
    /// pass once more: so that one stays until a restart. Where nothing was guarded, nothing is remembered.
    pub(super) fn remembering_as(mut self, running: &Self) -> Self {
        if !running.policy.routes.is_empty() && !self.keys.remember_as(&running.keys) {
            self.keys = Arc::new(self.keys.with_memory_of(&running.keys));
            self.other_secret = true;
        }
        self
    }
}

impl Warnings {
    /// At a start: for whoever sits there.
    pub(super) fn print(&self) {
        print(&self.0);
    }

    /// One line each.
    pub(super) fn log(&self) {
        log(&self.0);
    }
}

impl Refused {
    /// At a start: for whoever sits there.
    pub(super) fn print(&self) {
        match self {
            Self::Policy(report) | Self::Keys(report) => print(report),
            Self::Edge(_) | Self::Destination(_) | Self::Defect => drop(write!(io::stderr(), "error: {self}")),
        }
    }

    /// One line for each mistake.
    pub(super) fn log(&self) {
        match self {
            Self::Policy(report) | Self::Keys(report) => log(report),
            Self::Edge(_) | Self::Destination(_) | Self::Defect => {
                self.to_string().lines().for_each(|line| error!("{line}"));
            }
        }
    }

    /// How many there are.
    pub(super) fn mistakes(&self) -> usize {
        match self {
            Self::Policy(report) | Self::Keys(report) => report.count(Severity::Error),
            Self::Edge(_) | Self::Destination(_) | Self::Defect => 1,
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy(report) | Self::Keys(report) => report.fmt(f),
            Self::Edge(error) => writeln!(f, "{}", Chain(error)),
            Self::Destination(error) => writeln!(f, "{}", Chain(error)),
            Self::Defect => writeln!(f, "the compiler failed on this policy; this is a defect of hookwarden"),
        }
    }
}

fn print(report: &Report) {
    let mut text = String::new();
    let _ = report.write(&mut text, std::io::stderr().is_terminal());
    let _ = write!(io::stderr(), "{text}");
}

fn log(report: &Report) {
    for policy::Diagnostic { severity, file, line, column, message, .. } in report.iter() {
        match severity {
            Severity::Error => error!(file, line, column, "{message}"),
            Severity::Warning => warn!(file, line, column, "{message}"),
        }
    }
}
