//! What was delivered, once more. The files say what is kept; the gate that holds them is told which of it.

use super::{Named, Place, Standings, Table, Unsure, Who, act, chosen, names};
use crate::{
    cli::{counted, out::out},
    control::socket::Ask,
    spool::{
        Chosen,
        view::{State, View, Viewed, ViewedState},
    },
};
use anyhow::bail;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write as _},
    process::ExitCode,
};

/// What is wanted, and by whom.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("which").required(true).multiple(true).args(["event", "route", "from", "until"]))]
pub(super) struct Redeliver {
    /// An event's id
    event: Option<String>,
    #[command(flatten)]
    chosen: chosen::Chosen,
    /// To this destination alone
    #[arg(long)]
    to: Option<String>,
    /// List them, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    who: Who,
}

/// One question to the gate names so many at most: they are written at once.
const BATCH_MAX: usize = 100;
const BATCH_BYTES_MAX: usize = 8 << 20;

/// Says what waits again.
pub(super) fn run(place: &Place, view: &View, wanted: &Redeliver) -> anyhow::Result<ExitCode> {
    let to = wanted.to.as_deref().map(Named::Destination);
    names::check(place, view, [wanted.chosen.named(), to], Unsure::Refused)?;
    let standings = Standings::ask(&place.folder);
    let chosen = choose(view, wanted, &standings);
    if chosen.is_empty() {
        bail!("{}", nothing(view, wanted));
    }
    if wanted.dry_run {
        let mut out = out();
        Table::of_some(chosen.iter().flat_map(|(event, to)| each(event, to)), &standings).write(&mut out)?;
        let count = counted(chosen.len() as u64, "event");
        writeln!(out, "nothing has changed; without `--dry-run`, {count} would wait for redelivery")?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut done = 0;
    for batch in batches(&chosen) {
        let (actor, reason) = (wanted.who.actor()?, wanted.who.reason.clone());
        done += act::on_events(place, &Ask::Redeliver { events: batch, actor, reason })?;
    }
    writeln!(out(), "{done} of {} wait for redelivery", counted(chosen.len() as u64, "event"))?;
    if done < chosen.len() {
        let _ = writeln!(io::stderr(), "the others have gone, or were moved, while this was read; ask again for them");
    }
    Ok(ExitCode::SUCCESS)
}

fn each<'a>(event: &'a Viewed, to: &[String]) -> Vec<(&'a Viewed, &'a str, &'a ViewedState)> {
    let is_meant = |(name, _): &(&String, &ViewedState)| to.contains(name);
    event.states.iter().filter(is_meant).map(|(name, state)| (event, name.as_str(), state)).collect()
}

/// Events and the destinations that shall have them again: those that are done with it. One that waits already, as for an
/// earlier redelivery, does not wait twice; a dead letter is for `retry`.
fn choose<'a>(view: &'a View, wanted: &Redeliver, standings: &Standings) -> Vec<(&'a Viewed, Vec<String>)> {
    let mut open: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut last: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for event in &view.events {
        for (destination, state) in &event.states {
            match state.state {
                State::Pending | State::Dead => drop(open.entry(&event.record.id).or_default().insert(destination)),
                State::Delivered | State::Dropped => {
                    last.insert((&event.record.id, destination), event.sequence);
                }
            }
        }
    }
    let is_chosen = |event: &Viewed, destination: &str| {
        last.get(&(event.record.id.as_str(), destination)) == Some(&event.sequence)
            && open.get(event.record.id.as_str()).is_none_or(|open| !open.contains(destination))
            && wanted.to.as_deref().is_none_or(|to| to == destination)
            && !standings.is_removed(destination)
    };
    let destinations = |event: &'a Viewed| {
        let to: Vec<_> = event.states.keys().filter(|name| is_chosen(event, name)).cloned().collect();
        (!to.is_empty()).then_some((event, to))
    };
    view.events.iter().filter(|event| is_wanted(event, wanted)).filter_map(destinations).collect()
}

fn is_wanted(event: &Viewed, wanted: &Redeliver) -> bool {
    wanted.event.as_deref().is_none_or(|id| id == event.record.id) && wanted.chosen.has(event)
}

fn nothing(view: &View, wanted: &Redeliver) -> String {
    match view.events.iter().find(|event| is_wanted(event, wanted)) {
        None => "no such event is kept: none came, or its `keep` has ended; `spool ls` lists what there is".to_owned(),
        Some(event) => format!(
            "`{}` is not delivered, or its destination is not in the policy: what waits is delivered anyway, and \
             `spool retry` puts a dead letter back",
            event.record.id
        ),
    }
}

fn batches(chosen: &[(&Viewed, Vec<String>)]) -> Vec<Vec<Chosen>> {
    let (mut batches, mut bytes) = (vec![Vec::new()], 0);
    for (event, to) in chosen {
        let size = event.record.payload.len();
        let is_full =
            |batch: &Vec<Chosen>| batch.len() >= BATCH_MAX || !batch.is_empty() && bytes + size > BATCH_BYTES_MAX;
        if batches.last().is_some_and(is_full) {
            batches.push(Vec::new());
            bytes = 0;
        }
        bytes += size;
        let chosen = Chosen { id: event.record.id.clone(), lies: event.lies, to: to.clone() };
        batches.last_mut().into_iter().for_each(|batch| batch.push(chosen.clone()));
    }
    batches
}

#[cfg(test)]
mod tests;
