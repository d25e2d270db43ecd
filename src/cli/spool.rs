//! `hookwarden spool`: what is in the queue, and is it in order? Reading needs no lock and changes nothing, whether or not
//! a gate is running; one that runs is asked what its destinations are doing.

mod act;
mod acts;
mod redeliver;
mod standings;

use super::out::{out, printable, printable_lines};
use crate::{
    clock::Timestamp,
    control::socket::Ask,
    event::Record,
    spool::view::{State, View, Viewed, is_spool, payload, view},
};
use act::Who;
use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use standings::Standings;
use std::{
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Its options.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
    /// The spool's folder
    #[arg(long, global = true, alias = "spool", default_value = "hookwarden-spool", value_name = "DIR")]
    folder: PathBuf,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List events, oldest first, with what became of them
    ///
    /// A line has the event's id, when it was accepted, its route, its type, and for each destination how it stands: pending,
    /// delivered, dead or dropped. `after 3 attempts (status_500), due ...`: it failed so often by its own fault, last for
    /// this reason, and is tried again then; an outage of the destination costs an event no attempt. `waits for ID`: it has
    /// the same order key, and comes first.
    Ls {
        /// Only those that stand like this at some destination
        #[arg(long)]
        state: Option<State>,
        /// Only those of this route
        #[arg(long)]
        route: Option<String>,
        /// Print one JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Print one event, whole
    Show {
        /// Its id
        event: String,
    },
    /// Print events, one JSON object a line, with their payloads in base64
    Export {
        /// Only those that stand like this at some destination
        #[arg(long)]
        state: Option<State>,
    },
    /// Check every record; exit code 3 if something is damaged, or an act of an operator was changed
    Fsck {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Put an event's dead letters back, due now
    Retry(Act),
    /// Give an event up
    Drop(Act),
    /// Deliver once more what was delivered and is kept: one event, those of a route, of a time, or of both
    Redeliver(redeliver::Redeliver),
    /// Ask a destination again that answered 410; the gate has to run
    Enable {
        /// Its name in the policy
        destination: String,
        #[command(flatten)]
        who: Who,
    },
    /// List what operators did; exit code 3 if an act was changed, taken out or put in since
    Acts {
        /// Print one JSON object a line
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Act {
    /// The event's id
    event: String,
    #[command(flatten)]
    who: Who,
}

/// Runs it.
///
/// # Errors
/// The folder cannot be read, there is no such event, or the gate did not do it.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.verb {
        Verb::Ls { state, route, json } => {
            let (listed, standings) = (read(&args.folder)?, Standings::ask(&args.folder));
            let mut out = out();
            for event in listed.events.iter().filter(|event| is_wanted(event, *state, route.as_deref())) {
                let line = if *json { summary(event, &standings).to_string() } else { line(event, &standings) };
                writeln!(out, "{line}")?;
            }
        }
        Verb::Show { event } => {
            let listed = read(&args.folder)?;
            let Some(found) = listed.events.iter().find(|found| found.record.id == *event) else {
                bail!("there is no event `{event}` in `{}`; `spool ls` lists them", args.folder.display());
            };
            let mut out = out();
            writeln!(out, "{}", line(found, &Standings::ask(&args.folder)))?;
            let Record { request_id, content_type, .. } = &found.record;
            let (bytes, content_type) = (found.payload_bytes, printable(content_type));
            writeln!(out, "request {request_id}, {bytes} bytes of {content_type}\n")?;
            let whole = whole(&args.folder, found)?.with_context(|| erased(event))?;
            writeln!(out, "{}", printable_lines(&String::from_utf8_lossy(&whole.payload)))?;
        }
        Verb::Export { state } => {
            let listed = read(&args.folder)?;
            let mut out = out();
            for event in listed.events.iter().filter(|event| is_wanted(event, *state, None)) {
                let Some(whole) = whole(&args.folder, event)? else {
                    let _ = writeln!(io::stderr(), "{}", erased(&event.record.id));
                    continue;
                };
                let Record { content_type, payload, request_id, .. } = whole;
                let mut exported = summary(event, &Standings::default());
                if let Value::Object(members) = &mut exported {
                    members.insert("request_id".into(), json!(request_id));
                    members.insert("content_type".into(), json!(content_type));
                    members.insert("payload_base64".into(), json!(data_encoding::BASE64.encode(&payload)));
                }
                writeln!(out, "{exported}")?;
            }
        }
        Verb::Fsck { json } => return fsck(&read(&args.folder)?, *json),
        Verb::Retry(act) => {
            let Who { actor, reason } = act.who.clone();
            let request = Ask::Retry { event: act.event.clone(), actor, reason };
            return act::on_event(&args.folder, &request, &act.event, "has no dead letter");
        }
        Verb::Drop(act) => {
            let Who { actor, reason } = act.who.clone();
            let request = Ask::Drop { event: act.event.clone(), actor, reason };
            let done = act::on_event(&args.folder, &request, &act.event, "neither waits nor is dead")?;
            writeln!(out(), "its bytes are erased within a day after its `keep` has ended, while a gate runs")?;
            return Ok(done);
        }
        Verb::Redeliver(wanted) => return redeliver::run(&args.folder, &read(&args.folder)?, wanted),
        Verb::Enable { destination, who } => return act::enable(&args.folder, destination, who),
        Verb::Acts { json } => return acts::list(&read(&args.folder)?, *json),
    }
    Ok(ExitCode::SUCCESS)
}

fn read(folder: &Path) -> anyhow::Result<View> {
    let tell = io::stderr().is_terminal();
    let mut progress = |done: usize, all: usize| {
        if tell && all > 4 {
            let ending = if done + 1 == all { "\n" } else { "" };
            let _ = write!(io::stderr(), "\rreading segment {} of {all}{ending}", done + 1);
        }
    };
    if folder.is_dir() && !is_spool(folder) {
        bail!("there is no spool in `{}`; name it with --folder", folder.display());
    }
    view(folder, &mut progress)
        .with_context(|| format!("cannot read the spool `{}`; name it with --folder", folder.display()))
}

/// The event with its payload, wherever a gate that runs has carried it since the files were read; `None` if it has ended
/// since, and was erased.
fn whole(folder: &Path, event: &Viewed) -> anyhow::Result<Option<Record>> {
    if let Some(whole) = payload(folder, event)? {
        return Ok(Some(whole));
    }
    let again = view(folder, &mut |_, _| ())?;
    let moved = again.events.iter().find(|moved| moved.sequence == event.sequence);
    Ok(moved.map(|moved| payload(folder, moved)).transpose()?.flatten())
}

fn erased(event: &str) -> String {
    format!("`{event}` has ended, and was erased while the files were read")
}

impl clap::ValueEnum for State {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.code()))
    }
}

fn is_wanted(event: &Viewed, state: Option<State>, route: Option<&str>) -> bool {
    state.is_none_or(|state| event.states.values().any(|found| found.state == state))
        && route.is_none_or(|route| event.record.route == route)
}

fn line(event: &Viewed, standings: &Standings) -> String {
    let Record { id, route, event_type, accepted_at, .. } = &event.record;
    let states: Vec<_> = event
        .states
        .iter()
        .map(|(destination, state)| {
            let mut told = format!("{} {}", printable(destination), state.state.code());
            if state.attempts > 0 {
                told.push_str(&format!(" after {} attempts", state.attempts));
            }
            if !state.reason.is_empty() {
                told.push_str(&format!(" ({})", printable(&state.reason)));
            }
            if let Some(at) = state.settled_at {
                told.push_str(&format!(" {}", at.rfc3339()));
            }
            if let Some(due) = state.due {
                told.push_str(&format!(", due {}", due.rfc3339()));
            }
            if let Some(first) = &state.waits_for {
                told.push_str(&format!(", waits for {first}"));
            }
            if let Some(note) = standings.note(destination, state.state) {
                told.push_str(&format!(" [{note}]"));
            }
            told
        })
        .collect();
    let (id, route, event_type) = (printable(id), printable(route), printable(event_type));
    format!("{id}  {}  {route}  {event_type}  {}", accepted_at.rfc3339(), states.join("; "))
}

fn summary(event: &Viewed, standings: &Standings) -> Value {
    let Record { id, route, event_type, accepted_at, .. } = &event.record;
    let states: serde_json::Map<_, _> = event
        .states
        .iter()
        .map(|(destination, state)| {
            let due = state.due.map(Timestamp::rfc3339);
            let settled_at = state.settled_at.map(Timestamp::rfc3339);
            let told = json!({
                "state": state.state.code(), "attempts": state.attempts, "reason": state.reason, "due": due,
                "settled_at": settled_at, "waits_for": state.waits_for,
                "standing": standings.of(destination),
            });
            (destination.clone(), told)
        })
        .collect();
    json!({
        "sequence": event.sequence, "id": id, "route": route, "type": event_type,
        "accepted_at": accepted_at.rfc3339(), "destinations": states,
    })
}

fn fsck(view: &View, as_json: bool) -> anyhow::Result<ExitCode> {
    let mut out = out();
    let damaged: Vec<_> = view.damage.iter().filter(|damage| !damage.torn).collect();
    let breaks: Vec<_> = view.breaks.iter().map(ToString::to_string).collect();
    let torn: u64 = view.damage.iter().filter(|damage| damage.torn).map(|damage| damage.bytes).sum();
    if as_json {
        let places: Vec<_> = damaged
            .iter()
            .map(|damage| json!({ "segment": damage.segment, "at": damage.at, "bytes": damage.bytes }))
            .collect();
        writeln!(
            out,
            "{}",
            json!({
                "segments": view.segments, "records": view.records, "events": view.events.len(), "damage": places,
                "torn_bytes": torn, "acts": view.acts.len(), "breaks": breaks,
            })
        )?;
    } else {
        for damage in &damaged {
            writeln!(out, "{:012}.log: {} bytes at {} are no record", damage.segment, damage.bytes, damage.at)?;
        }
        breaks.iter().try_for_each(|broken| writeln!(out, "{}", printable(broken)))?;
        writeln!(
            out,
            "{} segments, {} records, {} events, {} acts; {} damaged places; {torn} bytes of writes that were cut short",
            view.segments,
            view.records,
            view.events.len(),
            view.acts.len(),
            damaged.len()
        )?;
    }
    let in_order = damaged.is_empty() && breaks.is_empty();
    Ok(if in_order { ExitCode::SUCCESS } else { ExitCode::from(super::EXIT_NOT_IN_ORDER) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::view::ViewedState;

    #[test]
    fn what_people_and_senders_wrote_does_nothing_to_a_terminal() {
        let mut event = Viewed {
            sequence: 1,
            lies: crate::spool::Lies { segment: 1, at: 0, bytes: 1 },
            record: crate::contract::record("evt_1", b"{}"),
            payload_bytes: 2,
            states: std::collections::BTreeMap::new(),
        };
        event.record.event_type = "order\u{1b}[2J".into();
        let reason = "\u{1b}[31mme\nx".into();
        event.states.insert("crm".into(), ViewedState { reason, ..ViewedState::default() });
        let line = line(&event, &Standings::default());
        assert!(line.contains(r"order\u{1b}[2J") && line.contains(r"(\u{1b}[31mme\nx)"), "{line}");
    }
}
