//! What operators did, and whether that is told as it was.

use crate::{
    cli::{
        EXIT_NOT_IN_ORDER,
        out::{out, printable},
    },
    spool::{Act, view::View},
};
use serde_json::json;
use std::{
    io::{self, Write as _},
    process::ExitCode,
};

/// Every act, oldest first, then where their chain is broken.
pub(super) fn list(view: &View, as_json: bool) -> anyhow::Result<ExitCode> {
    let mut out = out();
    for act in &view.acts {
        writeln!(out, "{}", if as_json { object(act) } else { line(act) })?;
    }
    for broken in &view.breaks {
        let _ = writeln!(io::stderr(), "error: {broken}");
    }
    Ok(if view.breaks.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(EXIT_NOT_IN_ORDER) })
}

fn line(act: &Act) -> String {
    let Act { number, at, actor, what, about, reason, .. } = act;
    let reason = if reason.is_empty() { String::new() } else { format!("  ({})", printable(reason)) };
    let (actor, what, about) = (printable(actor), printable(what), printable(about));
    format!("{number}  {}  {actor}  {what}  {about}{reason}  {}", at.rfc3339(), act.digest())
}

fn object(act: &Act) -> String {
    let Act { number, at, actor, what, about, reason, before } = act;
    json!({
        "act": number, "at": at.rfc3339(), "actor": actor, "what": what, "about": about, "reason": reason,
        "before": before.to_string(), "digest": act.digest().to_string(),
    })
    .to_string()
}
