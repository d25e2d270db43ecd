//! In what does one contract ask for less than another? For whoever answers for a change of it.

use super::{
    agreed::{Agreed, Version},
    redact::{Place, Redaction, Rule, names},
};
use crate::clock::Timestamp;
use std::{collections::BTreeMap, fmt};

/// One thing that is less than before, or that nobody can compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Less {
    /// Nothing is held against documents any more.
    NoSchema,
    /// The schema says something else: only a reader can tell whether that is more or less.
    Changed { version: Option<String> },
    /// Which member names the version, or whether any does.
    ChosenOtherwise,
    /// A version is accepted that was not.
    Accepts { version: String },
    /// A version ends later, or never.
    EndsLater { version: String, before: Timestamp, after: Option<Timestamp> },
    /// `format` only tells.
    Formats { version: Option<String> },
    /// Nothing is taken out any more.
    NoRedaction,
    /// One place is not redacted any more.
    Shown { words: String },
    /// Less of it goes.
    Milder { words: String, before: String, after: String },
}

impl Less {
    /// Whether it surely is less, and not only something else.
    pub(crate) fn is_weaker(&self) -> bool {
        match self {
            Self::Changed { .. } | Self::ChosenOtherwise => false,
            Self::NoSchema
            | Self::Accepts { .. }
            | Self::EndsLater { .. }
            | Self::Formats { .. }
            | Self::NoRedaction
            | Self::Shown { .. }
            | Self::Milder { .. } => true,
        }
    }
}

type Terms<'a> = (Option<&'a Agreed>, &'a Redaction);

pub(super) fn between((agreed, redaction): Terms<'_>, (new_agreed, new_redaction): Terms<'_>) -> Vec<Less> {
    let mut less = match (agreed, new_agreed) {
        (None, _) => Vec::new(),
        (Some(_), None) => vec![Less::NoSchema],
        (Some(old), Some(new)) => schemas(old, new),
    };
    if new_redaction.is_empty() && !redaction.is_empty() {
        less.push(Less::NoRedaction);
    } else {
        less.extend(redaction.rules().iter().filter_map(|old| milder(old, new_redaction.rules())));
    }
    less
}

fn schemas(old: &Agreed, new: &Agreed) -> Vec<Less> {
    match (old, new) {
        (Agreed::One(old), Agreed::One(new)) => said(None, old, new),
        (Agreed::ByMember { pointer, versions }, Agreed::ByMember { pointer: new_pointer, versions: new_versions }) => {
            let mut less = if pointer == new_pointer { Vec::new() } else { vec![Less::ChosenOtherwise] };
            less.extend(by_version(versions, new_versions));
            less
        }
        (Agreed::One(_), Agreed::ByMember { .. }) | (Agreed::ByMember { .. }, Agreed::One(_)) => {
            vec![Less::ChosenOtherwise]
        }
    }
}

fn by_version(old: &BTreeMap<String, Version>, new: &BTreeMap<String, Version>) -> Vec<Less> {
    let each = new.iter().flat_map(|(name, version)| match old.get(name) {
        Some(before) => said(Some(name), before, version),
        None => vec![Less::Accepts { version: name.clone() }],
    });
    each.collect()
}

fn said(name: Option<&String>, old: &Version, new: &Version) -> Vec<Less> {
    let mut less = Vec::new();
    if old.digest != new.digest {
        less.push(Less::Changed { version: name.cloned() });
    }
    if old.holds_formats && !new.holds_formats {
        less.push(Less::Formats { version: name.cloned() });
    }
    if let (Some(name), Some(before)) = (name, old.sunset)
        && new.sunset.is_none_or(|after| after > before)
    {
        less.push(Less::EndsLater { version: name.clone(), before, after: new.sunset });
    }
    less
}

/// What is left of one rule under others.
fn milder(old: &Rule, new: &[Rule]) -> Option<Less> {
    let now = new.iter().filter(|new| new.words == old.words || covers(&new.place, &old.place));
    let now = now.map(|new| new.how).max();
    match now {
        None => Some(Less::Shown { words: old.words.clone() }),
        Some(how) if how < old.how => {
            Some(Less::Milder { words: old.words.clone(), before: old.how.to_string(), after: how.to_string() })
        }
        Some(_) => None,
    }
}

/// Whether every value that `inner` means surely goes with `outer`: nobody can compare two of `JSONPath`.
fn covers(outer: &Place, inner: &Place) -> bool {
    match (outer, inner) {
        (Place::Pointer(outer), Place::Pointer(inner)) => {
            outer.len() <= inner.len() && outer.iter().zip(inner).all(|(outer, inner)| names::alike(outer, inner))
        }
        (Place::Name(name), Place::Pointer(steps)) => steps.iter().any(|step| names::alike(name, step)),
        (Place::Name(outer), Place::Name(inner)) => names::alike(outer, inner),
        (Place::Header(outer), Place::Header(inner)) => outer == inner,
        (Place::Query(outer), Place::Query(inner)) => outer == inner,
        (Place::Pointer(_) | Place::Path(_) | Place::Name(_) | Place::Header(_) | Place::Query(_), _) => false,
    }
}

/// As an act is written down.
impl fmt::Display for Less {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |version: &Option<String>| {
            version.as_ref().map_or_else(String::new, |name| format!(" of version `{name}`"))
        };
        let day = |at: &Timestamp| at.rfc3339().split('T').next().unwrap_or_default().to_owned();
        match self {
            Self::NoSchema => f.write_str("its schema is gone"),
            Self::Changed { version } => write!(f, "its schema{} says something else", of(version)),
            Self::ChosenOtherwise => f.write_str("its schema is chosen in another way"),
            Self::Accepts { version } => write!(f, "version `{version}` is accepted, too"),
            Self::EndsLater { version, before, after } => {
                let after = after.as_ref().map_or_else(|| "no day on".to_owned(), day);
                write!(f, "version `{version}` is refused from {after}, and before from {}", day(before))
            }
            Self::Formats { version } => write!(f, "`format` is not checked any more in its schema{}", of(version)),
            Self::NoRedaction => f.write_str("its redaction is gone"),
            Self::Shown { words } => write!(f, "`{words}` is not redacted any more"),
            Self::Milder { words, before, after } => {
                write!(f, "`{words}` was redacted by `{before}`, and is by `{after}`")
            }
        }
    }
}
