//! Events as people read them: one line for each, with one below it for each of its destinations, in 80 columns as long as
//! names are short.

use super::Standings;
use crate::{
    cli::{counted, out::printable},
    clock::Timestamp,
    event::Record,
    spool::view::{State, Viewed, ViewedState},
};
use std::{
    borrow::Cow,
    io::{self, Write},
};

/// Some events, each with some of its destinations.
pub(super) struct Table<'a> {
    standings: &'a Standings,
    rows: Vec<Row<'a>>,
}

type Row<'a> = (&'a Viewed, Vec<(&'a str, &'a ViewedState)>);

/// A name that is longer pushes what comes behind it, in its own line alone.
const COLUMN_MAX_CHARS: usize = 32;
/// What a terminal has at least.
const WIDTH_CHARS: usize = 80;
/// The longest name of a state.
const STATE_CHARS: usize = 9;
/// A time without its fraction: `--json` has it.
const TIME_CHARS: usize = 20;
/// Below the event, before its destinations.
const INDENT: &str = "  ";

impl<'a> Table<'a> {
    /// All of these, with all their destinations.
    pub(super) fn of(events: impl IntoIterator<Item = &'a Viewed>, standings: &'a Standings) -> Self {
        let all =
            |event: &'a Viewed| (event, event.states.iter().map(|(name, state)| (name.as_str(), state)).collect());
        Self { standings, rows: events.into_iter().map(all).collect() }
    }

    /// These alone; those of one event one after another.
    pub(super) fn of_some(
        some: impl IntoIterator<Item = (&'a Viewed, &'a str, &'a ViewedState)>,
        standings: &'a Standings,
    ) -> Self {
        let mut rows: Vec<Row<'a>> = Vec::new();
        for (event, name, state) in some {
            match rows.last_mut() {
                Some((last, states)) if last.sequence == event.sequence => states.push((name, state)),
                Some(_) | None => rows.push((event, vec![(name, state)])),
            }
        }
        Self { standings, rows }
    }

    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let records = || self.rows.iter().map(|(event, _)| &event.record);
        let id = width("EVENT", records().map(|record| record.id.as_str()));
        let route = width("ROUTE", records().map(|record| record.route.as_str()));
        let names = self.rows.iter().flat_map(|(_, states)| states.iter().map(|(name, _)| *name));
        let destination = width("DESTINATION", names);
        writeln!(out, "{:id$}  {:TIME_CHARS$}  {:route$}  TYPE", "EVENT", "ACCEPTED", "ROUTE")?;
        writeln!(out, "{INDENT}{:destination$}  {:STATE_CHARS$}  DETAILS", "DESTINATION", "STATE")?;
        for (event, states) in &self.rows {
            let Record { id: event_id, route: of, event_type, accepted_at, .. } = &event.record;
            let (event_id, of, event_type) = (printable(event_id), printable(of), printable(event_type));
            writeln!(out, "{event_id:id$}  {}  {of:route$}  {event_type}", second(*accepted_at))?;
            for (name, state) in states {
                let before = format!("{INDENT}{:destination$}  {:STATE_CHARS$}  ", printable(name), state.state.code());
                write_details(out, &before, &details(state))?;
                if let Some(note) = self.standings.note(name, state.state) {
                    writeln!(out, "{INDENT}{INDENT}{note}")?;
                }
            }
        }
        Ok(())
    }
}

fn width<'n>(heading: &str, names: impl Iterator<Item = &'n str>) -> usize {
    let longest = names.map(|name| printable(name).chars().count()).max().unwrap_or_default();
    longest.clamp(heading.len(), COLUMN_MAX_CHARS)
}

/// What there is to say of it, in pieces of which each fits into what a line has left.
fn details(state: &ViewedState) -> Vec<Cow<'_, str>> {
    let mut told = Vec::new();
    if let Some(at) = state.settled_at {
        told.push(second(at).into());
    }
    let why = printable(&state.reason);
    match (state.attempts, state.state) {
        (0, State::Dropped) if !why.is_empty() => told.push(format!("by {why}").into()),
        (0, _) if !why.is_empty() => told.push(why),
        (0, _) => {}
        (attempts, State::Dropped) => told.extend([format!("by {why}").into(), failed(attempts).into()]),
        (attempts, _) if why.is_empty() => told.push(failed(attempts).into()),
        (attempts, _) => told.push(format!("{} ({why})", failed(attempts)).into()),
    }
    if let Some(due) = state.due {
        told.push(format!("due {}", second(due)).into());
    }
    if let Some(first) = &state.waits_for {
        told.push(format!("waits for {}", printable(first)).into());
    }
    told
}

fn failed(attempts: u32) -> String {
    format!("failed {}", counted(attempts.into(), "time"))
}

/// What does not fit any more goes on below.
fn write_details(out: &mut impl Write, before: &str, details: &[Cow<'_, str>]) -> io::Result<()> {
    let start = before.chars().count();
    let mut line = before.to_owned();
    let mut used = start;
    for (nth, detail) in details.iter().enumerate() {
        let comma = if nth + 1 < details.len() { "," } else { "" };
        let chars = detail.chars().count() + comma.len();
        if used > start && used + 1 + chars > WIDTH_CHARS {
            writeln!(out, "{}", line.trim_end())?;
            (line, used) = (" ".repeat(start), start);
        }
        if used > start {
            line.push(' ');
            used += 1;
        }
        line.push_str(detail);
        line.push_str(comma);
        used += chars;
    }
    writeln!(out, "{}", line.trim_end())
}

fn second(at: Timestamp) -> String {
    Timestamp::from_unix_s(at.unix_s()).rfc3339()
}

#[cfg(test)]
mod tests;
