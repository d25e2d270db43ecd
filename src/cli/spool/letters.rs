//! Dead letters, put back or given up: those of one event, or all that are chosen, which are counted before anything is
//! done with them.

use super::{Place, Standings, Who, act, chosen::Chosen, line, read};
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
    if let Some(event) = letters.event.as_ref().filter(|_| letters.is_one()) {
        return one(place, fate, event, &letters.who);
    }
    let view = read(place)?;
    let found = letters.choose(&view);
    if found.is_empty() {
        bail!("no dead letter is such; `spool ls --state dead` lists all there are");
    }
    let mut out = out();
    if letters.dry_run {
        let standings = Standings::ask(&place.folder);
        let mut told = 0;
        for (event, _, _) in &found {
            if told != event.sequence {
                writeln!(out, "{}", line(event, &standings))?;
            }
            told = event.sequence;
        }
    }
    writeln!(out, "{}", counts(&found))?;
    if letters.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
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
        Fate::Retry => act::on_event(place, &Ask::Retry { event: id, actor, reason }, event, "has no dead letter"),
        Fate::Drop => {
            let request = Ask::Drop { event: id, actor, reason };
            let done = act::on_event(place, &request, event, "neither waits nor is dead")?;
            writeln!(out(), "{ERASED}")?;
            Ok(done)
        }
    }
}

/// An event with a destination at which it is dead.
type Dead<'a> = (&'a Viewed, &'a str, &'a ViewedState);

impl Letters {
    /// Nothing but its id is said of it.
    fn is_one(&self) -> bool {
        !self.dry_run && self.destination.is_none() && self.chosen.told().next().is_none()
    }

    fn choose<'a>(&self, view: &'a View) -> Vec<Dead<'a>> {
        let events = view
            .events
            .iter()
            .filter(|event| self.event.as_deref().is_none_or(|id| id == event.record.id) && self.chosen.has(event));
        let dead = events.flat_map(|event| event.states.iter().map(move |(name, state)| (event, name.as_str(), state)));
        let is_meant = |name: &str| self.destination.as_deref().is_none_or(|meant| meant == name);
        dead.filter(|(_, name, state)| state.state == State::Dead && is_meant(name)).collect()
    }

    fn settled(&self, batch: &[Dead<'_>]) -> Settled {
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

/// As in `3 dead letters: 2 at crm (status_500), 1 at erp (status_410)`.
fn counts(found: &[Dead<'_>]) -> String {
    let mut by: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for (_, destination, state) in found {
        *by.entry((destination, &state.reason)).or_default() += 1;
    }
    let of: Vec<_> = by
        .iter()
        .take(KINDS_SHOWN)
        .map(|((destination, reason), count)| format!("{count} at {} ({})", printable(destination), printable(reason)))
        .collect();
    let more = if by.len() > KINDS_SHOWN { ", and others" } else { "" };
    format!("{}: {}{more}", counted(found.len() as u64, "dead letter"), of.join(", "))
}

/// More kinds of failures are no overview.
const KINDS_SHOWN: usize = 10;

#[cfg(test)]
mod tests;
