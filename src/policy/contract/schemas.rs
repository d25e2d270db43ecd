//! Which schemas a route's documents must satisfy.

use super::{
    Shelf, Tell,
    text::{ContractText, FormatsText},
    warn, wrong,
};
use crate::{
    json::{
        BadSchema, escape,
        language::way_out,
        schema::library::{Formats, Idle, Loaded},
    },
    payload::agreed::{Agreed, Version},
    policy::{
        floor::{WARNED_BEFORE, days},
        units::DayText,
    },
};
use serde_json::Value;
use std::collections::BTreeMap;

/// `None` only where something wrong was told.
pub(super) fn agreed(text: &ContractText, shelf: Shelf<'_>, tell: Tell<'_>) -> Option<Agreed> {
    match (&text.schema, &text.schemas) {
        (Some(schema), None) => {
            for (key, written) in
                [("by", text.by.is_some()), ("accepts", text.accepts.is_some()), ("sunset", text.sunset.is_some())]
            {
                if written {
                    wrong(tell, format!("/contract/{key}"), "versions come from a folder; write `schemas` and `by`");
                }
            }
            let file = file(schema, shelf.file);
            if shelf.library.names().all(|known| known != file) && is_cut(schema, shelf.file) {
                let message =
                    format!("`{schema}` leads out of the policy's folder; a schema is a file in `schemas/` there");
                wrong(tell, "/contract/schema", message);
                return None;
            }
            load(&file, "/contract/schema", text, shelf, tell).map(Agreed::One)
        }
        (None, Some(folder)) => by_member(folder, text, shelf, tell),
        (None, None) => {
            wrong(tell, "/contract", "which schema? write `schema` with a file, or `schemas` with a folder and `by`");
            None
        }
        (Some(_), Some(_)) => {
            wrong(tell, "/contract", "one schema, or one for each version; leave `schema` or `schemas` out");
            None
        }
    }
}

/// The schemas that a document may be held against, for questions about what they allow.
pub(super) fn chosen<'a>(text: &ContractText, shelf: Shelf<'a>) -> Vec<&'a Value> {
    let files = match (&text.schema, &text.schemas) {
        (Some(schema), None) => vec![file(schema, shelf.file)],
        (None, Some(folder)) => versions(folder, shelf).into_values().collect(),
        (None, None) | (Some(_), Some(_)) => Vec::new(),
    };
    files.iter().filter_map(|file| shelf.library.value(file)).collect()
}

fn by_member(folder: &str, text: &ContractText, shelf: Shelf<'_>, tell: Tell<'_>) -> Option<Agreed> {
    let known = versions(folder, shelf);
    let lacks_some = shelf.library.lacks(&file(folder, shelf.file));
    if known.is_empty() && !lacks_some {
        wrong(tell, "/contract/schemas", format!("there is no file `*.json` in `{folder}`"));
    }
    if text.by.is_none() {
        wrong(tell, "/contract", "which member names the version? write it, as in `by: /api_version`");
    }
    let mut files = known.clone();
    if let Some(accepts) = &text.accepts {
        if accepts.is_empty() {
            wrong(tell, "/contract/accepts", "no version would be accepted; leave this out to accept every one");
        }
        let unknown = |wanted: &str| !known.contains_key(wanted) && !lacks_some;
        for (index, wanted) in accepts.iter().enumerate().filter(|(_, wanted)| unknown(wanted)) {
            let way_out = way_out(wanted, known.keys().map(String::as_str));
            wrong(tell, format!("/contract/accepts/{index}"), format!("no file is called `{wanted}.json`{way_out}"));
        }
        files.retain(|version, _| accepts.contains(version));
    }
    for (version, DayText(day)) in text.sunset.iter().flatten() {
        let pointer = format!("/contract/sunset/{}", escape(version));
        if !files.contains_key(version) && !lacks_some {
            let way_out = way_out(version, files.keys().map(String::as_str));
            wrong(tell, &pointer, format!("version `{version}` is not accepted here{way_out}"));
        }
        match day {
            None => wrong(tell, &pointer, "no such day; write something such as `2027-01-31`"),
            Some(day) if *day <= shelf.now => {
                warn(tell, &pointer, format!("version `{version}` has ended and is refused; take it out"));
            }
            Some(day) => {
                if let Some(left) = day.since(shelf.now).filter(|left| *left <= WARNED_BEFORE) {
                    warn(tell, &pointer, format!("version `{version}` ends in {}, and is refused then", days(left)));
                }
            }
        }
    }
    let mut versions = BTreeMap::new();
    let mut broken = false;
    for (name, file) in &files {
        match load(file, "/contract/schemas", text, shelf, tell) {
            Some(mut version) => {
                version.sunset = text.sunset.as_ref().and_then(|sunset| sunset.get(name)?.0);
                versions.insert(name.clone(), version);
            }
            None => broken = true,
        }
    }
    let pointer = text.by.clone().filter(|_| !broken)?;
    Some(Agreed::ByMember { pointer, versions })
}

fn load(file: &str, pointer: &str, text: &ContractText, shelf: Shelf<'_>, tell: Tell<'_>) -> Option<Version> {
    let formats = match text.formats {
        None => Formats::ByDraft,
        Some(FormatsText::Check) => Formats::Checked,
        Some(FormatsText::Ignore) => Formats::Told,
    };
    let Loaded { schema, version, names, idle, digest, holds_formats } = match shelf.library.load(file, formats) {
        Ok(loaded) => loaded,
        // That it cannot be opened is told already.
        Err(BadSchema::Absent(file)) if shelf.library.lacks(&file) => return None,
        Err(BadSchema::Absent(file)) => {
            let way_out = way_out(&file, shelf.library.names());
            wrong(tell, pointer, format!("there is no schema file `{file}`{way_out}"));
            return None;
        }
        Err(BadSchema::Invalid { pointer: at, why }) => {
            wrong(tell, pointer, format!("{}: {why}", shelf.library.place(file, &at)));
            return None;
        }
        Err(BadSchema::Unreadable(why)) => {
            wrong(tell, pointer, format!("{file}: {why}"));
            return None;
        }
    };
    for Idle { place, pointer: at, why } in idle {
        warn(tell, pointer, format!("{file}:{place}: {why} (`{at}`)"));
    }
    Some(Version { schema, name: version, digest, holds_formats, sunset: None, printable: names })
}

/// Files of a folder by the versions that they are for.
fn versions(folder: &str, shelf: Shelf<'_>) -> BTreeMap<String, String> {
    let folder = file(folder, shelf.file);
    let version = |name: &str| {
        let stem = name.strip_prefix(folder.as_str())?.strip_prefix('/')?.strip_suffix(".json")?;
        (!stem.contains('/')).then(|| (stem.to_owned(), name.to_owned()))
    };
    shelf.library.names().filter_map(version).collect()
}

/// Whether a name has a `..` above the policy's folder.
fn is_cut(named: &str, from: &str) -> bool {
    let (folder, _) = from.rsplit_once('/').unwrap_or_default();
    let mut depth = 0_usize;
    folder.split('/').chain(named.split('/')).any(|step| match step {
        "" | "." => false,
        ".." => match depth.checked_sub(1) {
            Some(above) => {
                depth = above;
                false
            }
            None => true,
        },
        _ => {
            depth += 1;
            false
        }
    })
}

/// The name in the library of a file or folder that is named in `from`. A `..` above the policy's folder is the folder
/// itself: nothing outside of it belongs to a policy, and one that is written as a single file names its schemas as the
/// files did that it was made from.
pub(super) fn file(named: &str, from: &str) -> String {
    let (folder, _) = from.rsplit_once('/').unwrap_or_default();
    let mut steps: Vec<&str> = Vec::new();
    for step in folder.split('/').chain(named.split('/')) {
        match step {
            "" | "." => {}
            ".." => drop(steps.pop()),
            step => steps.push(step),
        }
    }
    steps.join("/")
}
