//! Dead letters, put back or given up: those of one event, or all that are chosen, which are counted before anything is
//! done with them.

use super::{Named, Place, Standings, Table, Unsure, Who, act, chosen::Chosen, names, read};
use crate::{
    cli::{
        counted,
        out::{out, printable},
    },
    control::socket::Ask,
    spool::{
        Fate, LETTERS_MAX, Letters as Settled,
        view::{State, View, Viewed, ViewedState},
    },
};
use anyhow::bail;
use std::{
    collections::BTreeMap,
    io::{self, Write as _},
    process::ExitCode,
};

/// Which, and by whom.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("which").required(true).multiple(true).args(["event", "route", "destination", "from", "until"]))]
pub(super) struct Letters {
    /// The event's id
    event: Option<String>,
    #[command(flatten)]
    chosen: Chosen,
    /// Those of this destination
    #[arg(long, value_name = "NAME")]
    destination: Option<String>,
    /// List them, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do it with all of them, where no event is named; without it, they are counted and nothing changes
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    who: Who,
}

/// Says what was done, with how many.
pub(super) fn run(place: &Place, fate: Fate, letters: &Letters) -> anyhow::Result<ExitCode> {
    let one = letters.one();
    if let Some(event) = one.filter(|_| !letters.dry_run) {
        return self::one(place, fate, event, &letters.who);
    }
    let view = read(place)?;
    let destination = letters.destination.as_deref().map(Named::Destination);
    names::check(place, &view, [letters.chosen.named(), destination], Unsure::Refused)?;
    let found = letters.choose(&view, fate);
    if found.is_empty() {
        match one {
            Some(event) => bail!(act::nothing(event, otherwise(fate))),
            None => bail!("no dead letter is such; `spool ls --state dead` lists all there are"),
        }
    }
    let mut out = out();
    if letters.dry_run {
        Table::of_some(found.iter().copied(), &Standings::ask(&place.folder)).write(&mut out)?;
        let (verb, counts) = (fate.verb(), counts(&found));
        let without = if letters.event.is_some() { "without" } else { "with `--yes` instead of" };
        writeln!(out, "nothing has changed; {without} `--dry-run`, this would {verb} {counts}")?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "{}", counts(&found))?;
    out.flush()?;
    if letters.event.is_none() && !letters.yes {
        let verb = fate.verb();
        bail!("nothing has changed; write `--yes` to {verb} all of them, or `--dry-run` to see them");
    }
    let mut done = 0;
    for batch in found.chunks(LETTERS_MAX) {
        let (actor, reason) = (letters.who.actor()?, letters.who.reason.clone());
        done += act::on_events(place, &Ask::Letters { fate, letters: letters.settled(batch), actor, reason })?;
    }
    let are = match fate {
        Fate::Retry => "due now",
        Fate::Drop => "given up",
    };
    let be = if done == 1 { "is" } else { "are" };
    writeln!(out, "{} {be} {are}", counted(done as u64, "dead letter"))?;
    if done < found.len() {
        let _ = writeln!(io::stderr(), "the others were settled while this was read");
    }
    if fate == Fate::Drop {
        writeln!(out, "{ERASED}")?;
    }
    Ok(ExitCode::SUCCESS)
}

const ERASED: &str = "its bytes are erased within a day after its `keep` has ended, while a gate runs";

fn one(place: &Place, fate: Fate, event: &str, who: &Who) -> anyhow::Result<ExitCode> {
    let (actor, reason, id) = (who.actor()?, who.reason.clone(), event.to_owned());
    match fate {
        Fate::Retry => act::on_event(place, &Ask::Retry { event: id, actor, reason }, event, otherwise(fate)),
        Fate::Drop => {
            let request = Ask::Drop { event: id, actor, reason };
            let done = act::on_event(place, &request, event, otherwise(fate))?;
            writeln!(out(), "{ERASED}")?;
            Ok(done)
        }
    }
}

/// Why there is nothing to do with an event.
const fn otherwise(fate: Fate) -> &'static str {
    match fate {
        Fate::Retry => "has no dead letter",
        Fate::Drop => "neither waits nor is dead",
    }
}

/// An event with a destination at which it is dead, or waits.
type Open<'a> = (&'a Viewed, &'a str, &'a ViewedState);

impl Letters {
    /// The event of which nothing but its id is said.
    fn one(&self) -> Option<&str> {
        self.event.as_deref().filter(|_| self.destination.is_none() && self.chosen.told().next().is_none())
    }

    /// Dead letters; of an event that is given up alone also what waits.
    fn choose<'a>(&self, view: &'a View, fate: Fate) -> Vec<Open<'a>> {
        let takes_what_waits = fate == Fate::Drop && self.one().is_some();
        let is_open = |state: &ViewedState| match state.state {
            State::Dead => true,
            State::Pending => takes_what_waits,
            State::Delivered | State::Dropped => false,
        };
        let events = view
            .events
            .iter()
            .filter(|event| self.event.as_deref().is_none_or(|id| id == event.record.id) && self.chosen.has(event));
        let each = events.flat_map(|event| event.states.iter().map(move |(name, state)| (event, name.as_str(), state)));
        let is_meant = |name: &str| self.destination.as_deref().is_none_or(|meant| meant == name);
        each.filter(|(_, name, state)| is_open(state) && is_meant(name)).collect()
    }

    fn settled(&self, batch: &[Open<'_>]) -> Settled {
        let mut of: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for (event, destination, _) in batch {
            of.entry((*destination).to_owned()).or_default().push(event.sequence);
        }
        let event = self.event.as_ref().map(|event| format!("of {event}"));
        let destination = self.destination.as_ref().map(|destination| format!("at {destination}"));
        let by: Vec<_> = event.into_iter().chain(destination).chain(self.chosen.told()).collect();
        Settled { by: by.join(", "), of }
    }
}

/// As in `3 dead letters: 2 at crm (status_500), 1 at erp (status_410)`, or `1 event that waits: 1 at crm`.
fn counts(found: &[Open<'_>]) -> String {
    let (dead, waiting): (Vec<_>, Vec<_>) = found.iter().partition(|(_, _, state)| state.state == State::Dead);
    let told = [kinds(&dead, "dead letter", ""), kinds(&waiting, "event", " that waits")];
    told.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn kinds(found: &[Open<'_>], what: &str, which: &str) -> Option<String> {
    let mut by: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for (_, destination, state) in found {
        *by.entry((destination, &state.reason)).or_default() += 1;
    }
    let kind = |((destination, reason), count): (&(&str, &str), &u64)| match *reason {
        "" => format!("{count} at {}", printable(destination)),
        reason => format!("{count} at {} ({})", printable(destination), printable(reason)),
    };
    let of: Vec<_> = by.iter().take(KINDS_SHOWN).map(kind).collect();
    let more = if by.len() > KINDS_SHOWN { ", and others" } else { "" };
    let all = counted(found.len() as u64, what);
    (!found.is_empty()).then(|| format!("{all}{which}: {}{more}", of.join(", ")))
}

/// More kinds of failures are no overview.
const KINDS_SHOWN: usize = 10;

#[cfg(test)]
mod tests;
