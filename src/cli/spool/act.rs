//! What changes something: through the gate that runs, or on the files where none does.

use super::{Place, Who};
use crate::{
    cli::out::out,
    clock::SystemClock,
    control::socket::{Ask, ask},
    spool::{By, Settings, Spool, view::is_spool},
};
use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use std::{io::Write as _, path::Path, process::ExitCode, sync::Arc};

/// Says `otherwise` of the event if there was nothing to do.
pub(super) fn on_event(place: &Place, request: &Ask, event: &str, otherwise: &str) -> anyhow::Result<ExitCode> {
    let answer = match through_the_gate(&place.folder, request)? {
        Some(answer) => answer,
        None => alone(place, request)?,
    };
    done(&answer, || nothing(event, otherwise))
}

/// Why nothing was done with it, or would be.
pub(super) fn nothing(event: &str, otherwise: &str) -> String {
    format!("event `{event}` {otherwise}; `spool ls` lists what there is")
}

/// Asks a destination again that answered 410.
pub(super) fn enable(folder: &Path, destination: &str, who: &Who) -> anyhow::Result<ExitCode> {
    let (actor, reason) = (who.actor()?, who.reason.clone());
    let request = Ask::Enable { destination: destination.to_owned(), actor, reason };
    let Some(answer) = through_the_gate(folder, &request)? else {
        bail!("no gate runs on `{}`; one that starts asks every destination anyway", folder.display());
    };
    done(&answer, || format!("destination `{destination}` is not disabled; there is nothing to do"))
}

/// Says with how many of them it was done.
pub(super) fn on_events(place: &Place, request: &Ask) -> anyhow::Result<usize> {
    let answer = match through_the_gate(&place.folder, request)? {
        Some(answer) => answer,
        None => alone(place, request)?,
    };
    if let Some(error) = answer.get("error").and_then(Value::as_str) {
        bail!("{error}");
    }
    let events = answer.get("events").and_then(Value::as_u64).unwrap_or_default();
    Ok(usize::try_from(events)?)
}

fn through_the_gate(folder: &Path, request: &Ask) -> anyhow::Result<Option<Value>> {
    ask(folder, request).context("the running gate did not answer")
}

fn done(answer: &Value, otherwise: impl FnOnce() -> String) -> anyhow::Result<ExitCode> {
    if let Some(error) = answer.get("error").and_then(Value::as_str) {
        bail!("{error}");
    }
    if answer.get("done") != Some(&Value::Bool(true)) {
        bail!(otherwise());
    }
    writeln!(out(), "done")?;
    Ok(ExitCode::SUCCESS)
}

fn alone(place: &Place, request: &Ask) -> anyhow::Result<Value> {
    if !is_spool(&place.folder) {
        bail!("there is no spool in {}", place.otherwise());
    }
    let settings = Settings { folder: place.folder.clone(), bytes: u64::MAX, free: 0 };
    let (spool, _) = Spool::open(settings, Arc::new(SystemClock))?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let answer = runtime.block_on(async {
        let done = match request {
            Ask::Redeliver { events, actor, reason } => {
                let done = spool.redeliver(events, By { actor: actor.as_str(), reason: reason.as_str() }).await;
                spool.close().await;
                return done.map(|done| json!({ "ok": true, "events": done.map_or(0, |done| done.events) }));
            }
            Ask::Letters { fate, letters, actor, reason } => {
                let by = By { actor: actor.as_str(), reason: reason.as_str() };
                let done = spool.settle_letters(*fate, letters, by).await;
                spool.close().await;
                return done.map(|done| json!({ "ok": true, "events": done.map_or(0, |(count, _)| count) }));
            }
            Ask::Retry { event, actor, reason } => {
                spool.retry(event, By { actor: actor.as_str(), reason: reason.as_str() }).await
            }
            Ask::Drop { event, actor, reason } => {
                spool.drop_event(event, By { actor: actor.as_str(), reason: reason.as_str() }).await
            }
            // About forwarders, or a policy: none of them runs.
            Ask::Enable { .. }
            | Ask::Destinations
            | Ask::Observed
            | Ask::Arm { .. }
            | Ask::Disarm { .. }
            | Ask::Handshakes
            | Ask::Policy
            | Ask::Reload { .. }
            | Ask::Rollback { .. } => Ok(None),
        };
        spool.close().await;
        done.map(|act| json!({ "ok": true, "done": act.is_some() }))
    })?;
    Ok(answer)
}
