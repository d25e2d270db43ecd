//! `hookwarden spool`: what is in the queue, and is it in order? Reading needs no lock and changes nothing, whether or not
//! a gate is running; one that runs is asked what its destinations are doing.

mod act;
mod acts;
mod chosen;
mod fsck;
mod letters;
mod names;
mod progress;
mod redeliver;
mod standings;
mod table;

use super::{
    gate_of::{Gate, Place, Which},
    out::{out, printable, printable_lines},
    who::Who,
};
use crate::{
    clock::Timestamp,
    event::Record,
    spool::{
        Fate,
        view::{State, View, Viewed, is_spool, payload, view},
    },
};
use anyhow::{Context as _, bail};
use chosen::Chosen;
use names::{Named, Unsure};
use progress::Progress;
use serde_json::{Value, json};
use standings::Standings;
use std::{
    io::{self, Write as _},
    path::Path,
    process::ExitCode,
};
use table::Table;

/// Its options.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    gate: Gate,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List events, oldest first, with what became of them
    ///
    /// Each event has a line with its id, when it was accepted, its route and its type, and below it one for each destination
    /// with how it stands there: pending, delivered, dead or dropped. `failed 3 times (status_500), due ...`: so often by
    /// the event's own fault, last for this reason, and it is tried again then; an outage of the destination costs an event
    /// no attempt. `waits for ID`: it has the same order key, and comes first. For scripts there is `--json`.
    Ls {
        /// Only those that stand like this at some destination
        #[arg(long)]
        state: Option<State>,
        #[command(flatten)]
        chosen: Chosen,
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
        #[command(flatten)]
        chosen: Chosen,
    },
    /// Check every record; exit code 3 if something is damaged, or an act of an operator was changed
    Fsck {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Put dead letters back, due now: those of one event, or all of a route, a destination, a time
    Retry(letters::Letters),
    /// Give up one event, whether it waits or is dead; or all dead letters of a route, a destination, a time
    Drop(letters::Letters),
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

/// Runs it.
///
/// # Errors
/// The folder cannot be read, there is no such event, or the gate did not do it.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let place = args.gate.place(&Which::default())?;
    let folder = &place.folder;
    match &args.verb {
        Verb::Ls { state, chosen, json } => {
            let (listed, standings) = (read(&place)?, Standings::ask(folder));
            names::check(&place, &listed, [chosen.named()], Unsure::Told)?;
            let mut out = out();
            let mut events = listed.events.iter().filter(|event| stands(event, *state) && chosen.has(event));
            if *json {
                events.try_for_each(|event| writeln!(out, "{}", summary(event, &standings)))?;
            } else {
                Table::of(events, &standings).write(&mut out)?;
            }
        }
        Verb::Show { event } => {
            let listed = read(&place)?;
            let named: Vec<_> = listed.events.iter().filter(|found| found.record.id == *event).collect();
            let [.., found] = named.as_slice() else {
                bail!("there is no event `{event}` in `{}`; `spool ls` lists them", folder.display());
            };
            let mut out = out();
            // One that was redelivered is there more than once.
            Table::of(named.iter().copied(), &Standings::ask(folder)).write(&mut out)?;
            let Record { request_id, content_type, .. } = &found.record;
            let (bytes, content_type) = (found.payload_bytes, printable(content_type));
            writeln!(out, "request {request_id}, {bytes} bytes of {content_type}\n")?;
            let whole = whole(folder, found)?.with_context(|| erased(event))?;
            writeln!(out, "{}", printable_lines(&String::from_utf8_lossy(&whole.payload)))?;
        }
        Verb::Export { state, chosen } => {
            let listed = read(&place)?;
            names::check(&place, &listed, [chosen.named()], Unsure::Told)?;
            let mut out = out();
            for event in listed.events.iter().filter(|event| stands(event, *state) && chosen.has(event)) {
                let Some(whole) = whole(folder, event)? else {
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
        Verb::Fsck { json } => return fsck::run(&read(&place)?, *json),
        Verb::Retry(letters) => return letters::run(&place, Fate::Retry, letters),
        Verb::Drop(letters) => return letters::run(&place, Fate::Drop, letters),
        Verb::Redeliver(wanted) => return redeliver::run(&place, &read(&place)?, wanted),
        Verb::Enable { destination, who } => return act::enable(folder, destination, who),
        Verb::Acts { json } => return acts::list(&read(&place)?, *json),
    }
    Ok(ExitCode::SUCCESS)
}

fn read(place: &Place) -> anyhow::Result<View> {
    let folder = &place.folder;
    if folder.is_dir() && !is_spool(folder) {
        bail!("there is no spool in {}", place.otherwise());
    }
    if !folder.exists() {
        bail!("no gate has made a spool in {}", place.otherwise());
    }
    let mut progress = Progress::new();
    let read = view(folder, &mut |done, all| progress.tell(done, all));
    drop(progress);
    read.map_err(|error| {
        let rights = error.kind() == io::ErrorKind::PermissionDenied;
        let who = if rights { "; read it as the user that the gate runs as" } else { "" };
        anyhow::Error::new(error).context(format!("cannot read the spool {}{who}", place.otherwise()))
    })
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

fn stands(event: &Viewed, state: Option<State>) -> bool {
    state.is_none_or(|state| event.states.values().any(|found| found.state == state))
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
