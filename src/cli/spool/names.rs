//! Is there such a route, or such a destination? A slip of a finger must not look like an empty queue.
//!
//! Known is what the policy says, and what an event in the spool says: those of a route or a destination that the policy has
//! no more are what somebody clears away.

use super::Place;
use crate::{
    cli::{out::printable, policy_files},
    json::{Node, language::way_out, read_yaml},
    spool::view::View,
};
use anyhow::bail;
use std::{
    collections::BTreeSet,
    io::{self, Write as _},
    path::Path,
};

/// What is called by a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named<'a> {
    Route(&'a str),
    Destination(&'a str),
}

/// What is done with a name that no event has, where no policy can say whether there is such a one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsure {
    /// There is nothing to do with it anyway.
    Refused,
    /// Its first event may come yet: whoever asks again and again must not fail until then.
    Told,
}

/// Each of these is known.
///
/// # Errors
/// One is not; with what was meant, probably.
pub(super) fn check<'a>(
    place: &Place,
    view: &View,
    named: impl IntoIterator<Item = Option<Named<'a>>>,
    unsure: Unsure,
) -> anyhow::Result<()> {
    for named in named.into_iter().flatten() {
        let (name, what) = match named {
            Named::Route(name) => (name, "route"),
            Named::Destination(name) => (name, "destination"),
        };
        let of_events = of_spool(view, named);
        let of_policy = place.policy.as_ref().and_then(|(path, env)| of_policy(path, env.as_deref(), named));
        let is_sure = of_policy.is_some();
        let known: BTreeSet<_> = of_policy.iter().flatten().map(String::as_str).chain(of_events).collect();
        if known.contains(name) {
            continue;
        }
        let name_told = printable(name);
        let told = if is_sure {
            format!("the policy has no {what} `{name_told}`, and neither has an event{}", way_out(name, known))
        } else {
            format!("no event in the spool has the {what} `{name_told}`{}", way_out(name, known))
        };
        if is_sure || unsure == Unsure::Refused {
            bail!(told);
        }
        let _ = writeln!(io::stderr(), "{told}");
    }
    Ok(())
}

fn of_spool<'a>(view: &'a View, named: Named<'_>) -> BTreeSet<&'a str> {
    let events = view.events.iter();
    match named {
        Named::Route(_) => events.map(|event| event.record.route.as_str()).collect(),
        Named::Destination(_) => events.flat_map(|event| event.states.keys().map(String::as_str)).collect(),
    }
}

/// Those of the stage, or of all stages where none is named. None if anything of the policy cannot be read: then nobody can
/// say what is not in it.
fn of_policy(path: &Path, env: Option<&str>, named: Named<'_>) -> Option<BTreeSet<String>> {
    let key = match named {
        Named::Route(_) => "/routes",
        Named::Destination(_) => "/destinations",
    };
    let mut stages = vec![env.map(str::to_owned)];
    if env.is_none() {
        let all = policy_files::stages(path).ok()?;
        if !all.is_empty() {
            stages = all.into_iter().map(Some).collect();
        }
    }
    let mut names = BTreeSet::new();
    for stage in stages {
        let source = policy_files::read(path, stage.as_deref());
        if !source.unread.is_empty() {
            return None;
        }
        for file in source.routes.iter().chain([&source.main]).chain(&source.env) {
            let document = read_yaml(&file.text).ok()?;
            let members = document.root.find(key).into_iter().flat_map(Node::members);
            names.extend(members.map(|(name, _)| name.to_string()));
        }
    }
    Some(names)
}

#[cfg(test)]
mod tests;
