//! From a file's text to what it says: all that does not fit the language is told at once, and what is left is read without it.

use super::{
    Mistake,
    mistakes::unreadable,
    text::{ProviderText, language},
    tidy::untidy,
};
use crate::json::{
    Document, Kind, Language, Node, Wrong,
    language::{Hint, nearest},
    read_yaml_at,
};
use serde_json::Value;
use std::{ops::Range, sync::LazyLock};

/// What a file says, and what nobody can know of it.
#[derive(Default)]
pub(super) struct Read {
    /// `None`: too little of it can be read.
    pub(super) entry: Option<ProviderText>,
    /// What does not fit.
    pub(super) wrong: Vec<Mistake>,
    /// Keys of the entry that are not in `entry` because of that: nothing is known of them, and they are not missing.
    pub(super) spoilt: Vec<String>,
}

impl Read {
    /// Whether this key says something that could not be read.
    pub(super) fn has_spoilt(&self, key: &str) -> bool {
        self.spoilt.iter().any(|spoilt| spoilt == key)
    }
}

/// Reads an entry of somebody's own.
pub(super) fn read(text: &str) -> Read {
    let document = match read_yaml_at(text, 0) {
        Ok(document) => document,
        Err(wrong) => return Read { wrong: vec![mistake(wrong)], ..Read::default() },
    };
    let misfits = LANGUAGE.as_ref().map(|language| language.check(&document)).unwrap_or_default();
    let spoilt = Spoilt::of(&document, &misfits, text);
    let wrong = misfits.into_iter().chain(untidy(&document)).map(mistake).collect();
    let mut read = Read { entry: None, wrong, spoilt: spoilt.names };
    if document.root.members().next().is_none() && !read.wrong.is_empty() {
        return read; // it is no list of keys
    }
    let by_item = known(&without(text, &spoilt.items));
    match by_item.or_else(|_| known(&without(text, &spoilt.bytes))) {
        Ok(entry) => read.entry = Some(entry),
        Err(unreadable) if read.wrong.is_empty() => read.wrong.push(unreadable),
        // Its parts could not be told from each other.
        Err(_) => {}
    }
    read
}

/// Reads an entry of which it is known that it fits: those of the catalogue.
pub(super) fn known(text: &str) -> Result<ProviderText, Mistake> {
    let options = serde_saphyr::options! { strict_booleans: true, reject_unsupported_tags: true };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| unreadable(error.without_snippet(), text))
}

static LANGUAGE: LazyLock<Option<Language>> =
    LazyLock::new(|| Language::of::<ProviderText>().ok().map(|language| language.with_hints(HINTS)));

/// Keys as other catalogues call them.
const HINTS: &[Hint] = &[
    ("signature", "is written `sig`, below `scheme`, as in `sig: { in: \"header:X-Signature\", enc: hex }`"),
    ("header", "is no key here; where something stands is written `header:NAME`, as in `in: \"header:X-Signature\"`"),
    ("timestamp", "is written `ts`, below `scheme`, as in `ts: { from: \"header:X-Time\", fmt: unix_s }`"),
    ("tolerance", "is written `max_age`, beside `scheme`"),
    ("timeout", "is written `answer_by`: when the vendor stops waiting, less a second"),
    ("docs", "is written `documentation`"),
    ("format", "is written `fmt`"),
    ("type", "is written `event_type`, beside `scheme`"),
    ("secret", "never stands in an entry; a policy says where it is, under `keys`"),
    ("keys", "never stand in an entry; a policy says where they are"),
];

/// What of an entry does not fit.
#[derive(Default)]
struct Spoilt {
    /// The keys in which something does not.
    names: Vec<String>,
    /// The bytes that these take.
    bytes: Vec<Range<usize>>,
    /// The same, but of a list of calls only those that do not fit: the others are as good as they were.
    items: Vec<Range<usize>>,
}

impl Spoilt {
    fn of(document: &Document, misfits: &[Wrong], text: &str) -> Self {
        let mut spoilt = Self::default();
        if misfits.is_empty() {
            return spoilt;
        }
        let start = |node: &Node| document.name(node).map_or(node.at.start, |name| name.start);
        let mut members: Vec<_> =
            document.root.members().map(|(name, node)| (start(node), name.as_str(), node)).collect();
        members.sort_unstable_by_key(|(start, ..)| *start);
        let ends = members.iter().skip(1).map(|(start, ..)| *start).chain([text.len()]);
        let known = language();
        let known =
            || known.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.as_str());
        for ((start, name, node), end) in members.iter().zip(ends) {
            let inside: Vec<_> =
                misfits.iter().map(|wrong| wrong.start).filter(|at| (*start..end).contains(at)).collect();
            if inside.is_empty() {
                continue;
            }
            // Of a slip of the pen, what was meant is not missing.
            let hint = HINTS.iter().find(|(word, _)| word == name).and_then(|(_, hint)| hint.split('`').nth(1));
            let meant = hint.or_else(|| nearest(name, known()));
            let meant = meant.filter(|meant| !members.iter().any(|(_, other, _)| other == meant));
            spoilt.names.extend([*name].into_iter().chain(meant).map(str::to_owned));
            match items(text, node, end, &inside) {
                Some(items) => spoilt.items.extend(items),
                None => spoilt.items.push(*start..end),
            }
            spoilt.bytes.push(*start..end);
        }
        spoilt
    }
}

/// Those entries of this list, which ends here at the latest, in which something does not fit; `None` if it is no such list,
/// or what does not fit is not in one of them. A guess at what is theirs: whoever reads what is left sees whether it was right.
fn items(text: &str, list: &Node, end: usize, misfits: &[usize]) -> Option<Vec<Range<usize>>> {
    let Kind::Array(entries) = &list.kind else { return None };
    let starts: Vec<_> = entries.iter().map(|entry| begin(text, entry)).collect::<Option<_>>()?;
    let is_bracketed = text.get(*starts.first()?..)?.starts_with('{');
    let end = if is_bracketed { text.get(..end)?.rfind(']')? } else { end };
    let ends = starts.iter().skip(1).copied().chain([end]);
    let each: Vec<_> = starts.iter().zip(ends).map(|(start, end)| *start..end).collect();
    let bad: Vec<_> = each.iter().filter(|entry| misfits.iter().any(|at| entry.contains(at))).cloned().collect();
    let all_are_inside = misfits.iter().all(|at| bad.iter().any(|entry| entry.contains(at)));
    (all_are_inside && bad.len() < each.len()).then_some(bad)
}

/// Where an entry of a list begins, with its dash.
fn begin(text: &str, entry: &Node) -> Option<usize> {
    let Kind::Object(_) = &entry.kind else { return None };
    let before = text.get(..entry.at.start)?.trim_end_matches(' ');
    if before.ends_with('-') {
        return Some(before.len() - 1);
    }
    text.get(entry.at.start..)?.starts_with('{').then_some(entry.at.start)
}

/// The same text with nothing in these places, so that every other byte stays where it is.
fn without(text: &str, bytes: &[Range<usize>]) -> String {
    let blank = |(at, letter): (usize, char)| {
        let is_left_out = bytes.iter().any(|range| range.contains(&at)) && letter != '\n';
        let shown = if is_left_out { ' ' } else { letter };
        std::iter::repeat_n(shown, if is_left_out { letter.len_utf8() } else { 1 })
    };
    text.char_indices().flat_map(blank).collect()
}

fn mistake(Wrong { start, end, message }: Wrong) -> Mistake {
    Mistake { at: start..end, message }
}
