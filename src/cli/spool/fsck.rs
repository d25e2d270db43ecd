//! Is what the files hold what was written to them?

use crate::{
    cli::{
        EXIT_NOT_IN_ORDER, counted,
        out::{out, printable},
    },
    spool::view::View,
};
use serde_json::json;
use std::{io::Write as _, process::ExitCode};

/// Every damaged place and every act that was changed, then how much there is of what.
pub(super) fn run(view: &View, as_json: bool) -> anyhow::Result<ExitCode> {
    let mut out = out();
    let damaged: Vec<_> = view.damage.iter().filter(|damage| !damage.torn).collect();
    let breaks: Vec<_> = view.breaks.iter().map(ToString::to_string).collect();
    let torn: u64 = view.damage.iter().filter(|damage| damage.torn).map(|damage| damage.bytes).sum();
    if as_json {
        let places: Vec<_> = damaged
            .iter()
            .map(|damage| json!({ "segment": damage.segment, "at": damage.at, "bytes": damage.bytes }))
            .collect();
        let told = json!({
            "segments": view.segments, "records": view.records, "events": view.events.len(), "damage": places,
            "torn_bytes": torn, "acts": view.acts.len(), "breaks": breaks,
        });
        writeln!(out, "{told}")?;
    } else {
        for damage in &damaged {
            writeln!(out, "{:012}.log: {} bytes at {} are no record", damage.segment, damage.bytes, damage.at)?;
        }
        breaks.iter().try_for_each(|broken| writeln!(out, "{}", printable(broken)))?;
        let (events, acts) = (view.events.len() as u64, view.acts.len() as u64);
        let there = [(view.segments, "segment"), (view.records, "record"), (events, "event"), (acts, "act")];
        let there = there.map(|(count, what)| counted(count, what)).join(", ");
        let (damaged, torn) = (counted(damaged.len() as u64, "damaged place"), counted(torn, "byte"));
        writeln!(out, "{there}; {damaged}; {torn} of writes that were cut short")?;
    }
    let in_order = damaged.is_empty() && breaks.is_empty();
    Ok(if in_order { ExitCode::SUCCESS } else { ExitCode::from(EXIT_NOT_IN_ORDER) })
}
